#include "lab/walkthrough/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "lab/evaluated.h"
#include "lab/shortened.h"
#include "lab/training.h"
#include "train/sampler.h"

namespace byhand::lab {
namespace {

std::vector<std::u32string> names_by(const Tensors<float>& state, const Run& run, std::size_t count) {
    const std::unique_ptr<Model> model = evaluated(run.recipe.network, state, run.train);
    TorchGenerator generator = torch_seeded(run.recipe.sample_seed);
    std::vector<std::u32string> names;
    names.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back(sample_name(*model, run.recipe.network.context, run.vocabulary, generator, {}));
    }
    return names;
}

Cell shown(const std::u32string& name) {
    constexpr std::size_t kLongest = 30;
    Cell cell(to_utf8(name.substr(0, kLongest)) + (name.size() > kLongest ? "…" : ""));
    cell.value = to_utf8(name);
    return cell;
}

Json in_utf8(const std::vector<std::u32string>& names) {
    Json all = Json::array();
    for (const std::u32string& name : names) {
        all.push_back(to_utf8(name));
    }
    return all;
}

}  // namespace

void tell_names(Document& document, const WalkthroughOptions& options, const Run& run, const Material& material,
                const Setting& setting) {
    constexpr std::size_t kParts = 100;
    Training training;
    training.recipe = in_steps(options.recipe, options.steps);
    training.watch = [&](std::size_t steps, Model&) {
        const std::size_t part = steps * kParts / options.steps;
        if (steps > 0 && part > (steps - 1) * kParts / options.steps) {
            setting.progress(part, kParts);
        }
    };
    const Trained trained = train_one(training, material);
    document.data["training"] = {{"steps", trained.steps}, {"val", number(trained.val)}};
    if (!trained.finite) {
        document.blocks.emplace_back(Text{fmt::format(
            "Names. Many such steps should end in names; these ended after {} with a loss that is not finite.",
            trained.steps)});
        return;
    }
    const std::vector<std::u32string> before = names_by(run.initial, run, options.names);
    const std::vector<std::u32string> after = names_by(trained.state, run, options.names);
    const std::size_t known = also_in(after, run.names.train);
    Table table{"", {"before the first step", fmt::format("after {}", options.steps)}, {}};
    for (std::size_t i = 0; i < before.size(); ++i) {
        table.rows.push_back({shown(before[i]), shown(after[i])});
    }
    document.blocks.emplace_back(Text{fmt::format(
        "Names. The same step, {} times, each time on another batch: validation names cost {:.4f} a character then. "
        "The network writes, one character at a time, each drawn by its probability, until it draws '.':",
        options.steps, trained.val)});
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(
        Text{fmt::format("Of the {} on the right the training names hold {}.", after.size(), known)});
    if (!trained.curve.empty()) {
        Plot plot{.title = fmt::format("Loss of the batches, means of {}", kWindow),
                  .x_label = "steps",
                  .y_label = "",
                  .series = {}};
        plot.series.push_back({"", curve_steps(trained), trained.curve, {}, {}});
        document.plots.push_back(std::move(plot));
    }
    document.data["names"] = {{"before", in_utf8(before)}, {"after", in_utf8(after)}, {"known", known}};
}

}  // namespace byhand::lab
