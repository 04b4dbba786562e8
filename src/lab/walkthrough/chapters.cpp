#include "lab/walkthrough/chapters.h"

#include <algorithm>
#include <array>
#include <string>

namespace byhand::lab {
namespace {

// By what the functions' names begin with.
Part part_of(const std::string& function) {
    struct Beginning {
        const char* begins;
        Part part;
    };
    constexpr std::array kBeginnings = std::to_array<Beginning>({
        {"embedding_", Part::lookup},
        {"concatenate_", Part::lookup},
        {"linear_", Part::linear},
        {"matmul_", Part::linear},
        {"batchnorm_", Part::norm},
        {"tanh_", Part::activation},
        {"softmax_", Part::loss},
        {"negative_log_likelihood", Part::loss},
    });
    const auto* const found = std::ranges::find_if(
        kBeginnings, [&function](const Beginning& beginning) { return function.starts_with(beginning.begins); });
    return found != kBeginnings.end() ? found->part : Part::other;
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
