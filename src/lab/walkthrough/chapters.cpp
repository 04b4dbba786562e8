#include "lab/walkthrough/chapters.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "manual/formulas.h"

namespace byhand::lab {
namespace {

// The story that an operation belongs to.
Part part_of(const std::string& function) {
    struct Story {
        std::string_view operation;
        Part part;
    };
    constexpr std::array kStories = std::to_array<Story>({
        {"embedding", Part::lookup},
        {"linear", Part::linear},
        {"batchnorm", Part::norm},
        {"tanh", Part::activation},
        {"cross_entropy", Part::loss},
    });
    const auto formula = std::ranges::find(formulas(), function, &Formula::function);
    if (formula == formulas().end()) {
        return Part::other;
    }
    const auto* const found = std::ranges::find(kStories, formula->operation, &Story::operation);
    return found != kStories.end() ? found->part : Part::other;
}

std::vector<Chapter> chapters(const StepList& list) {
    std::vector<Chapter> all;
    for (const Step& step : list) {
        const Part part = part_of(step.in_float.name);
        if (all.empty() || all.back().part != part) {
            all.push_back({part, 0, {}});
        }
        all.back().steps.push_back(&step);
    }
    return all;
}

}  // namespace

// Going forward a layer begins with its linear; going back it ends with that.
std::vector<Chapter> forward_chapters(const Graph& network) {
    std::vector<Chapter> all = chapters(network.forward);
    std::size_t begun = 0;
    for (Chapter& chapter : all) {
        begun += chapter.part == Part::linear ? 1 : 0;
        chapter.layer = begun == 0 ? 0 : begun - 1;
    }
    return all;
}

std::vector<Chapter> backward_chapters(const Graph& network) {
    std::vector<Chapter> all = chapters(network.backward);
    std::size_t layer = network.config.hidden.size();
    for (Chapter& chapter : all) {
        chapter.layer = layer;
        layer -= chapter.part == Part::linear && layer > 0 ? 1 : 0;
    }
    return all;
}

}  // namespace byhand::lab
