#include "cli/compare_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "cli/say.h"
#include "cli/value_names.h"
#include "manual/stepwise.h"
#include "train/external_file.h"
#include "train/safetensors.h"

namespace byhand::cli {

void write_dump(const std::string& path, const Run& run, const DrawnBatch& batch, std::size_t step,
                const std::vector<Candidate>& candidates, const ReferenceImplementations& reference) {
    std::vector<View> views = {
        {"X", {batch.Y.size(), run.recipe.network.context}, DType::int64, batch.X.data()},
        {"Y", {batch.Y.size()}, DType::int64, batch.Y.data()},
    };
    const auto append = [&views](const std::string& prefix, const Implementation& implementation) {
        for (View& view : implementation.views()) {
            view.name = prefix + "/" + view.name;
            views.push_back(std::move(view));
        }
    };
    for (const Candidate& candidate : candidates) {
        append(candidate.model == "stepwise" ? "manual" : candidate.model, *candidate.implementation);
    }
    append("torch", *reference.stepwise);
    append("module", *reference.module);
    append("oracle", *reference.oracle);
    write_tensors(path, views,
                  {{"recipe", to_json(run.recipe)},
                   {"vocabulary", to_utf8(run.vocabulary.characters)},
                   {"step", std::to_string(step)}});
}

ExternalValues external_values(const std::string& path, const NetworkConfig& network, std::size_t rows) {
    const Graph steps = stepwise_graph(network, rows);
    const std::vector<TensorSpec> specs = external_specs(steps);
    ExternalFile file = read_external(path, [&](const std::string& name) {
        const TensorSpec* meant = meant_by(name, specs);
        return meant != nullptr ? std::optional<std::uint64_t>(count(meant->shape)) : std::nullopt;
    });
    const bool any_read = !file.tensors.empty();
    ExternalValues values = fit_to(steps, views({std::move(file.tensors), {}}));
    if (!file.faults.empty()) {
        if (any_read) {
            std::ranges::move(values.faults, std::back_inserter(file.faults));
        }
        values.faults = std::move(file.faults);
    }
    for (const std::string& line : values.notes) {
        say("{}: {}\n", printable(path), printable(line));
    }
    for (std::size_t i = 0; i < values.faults.size(); ++i) {
        const std::string fault = fmt::format("{}: {}", path, values.faults[i]);
        if (i + 1 == values.faults.size()) {
            throw InputError(fault);
        }
        say("byhand: {}\n", printable(fault));
    }
    return values;
}

}  // namespace byhand::cli
