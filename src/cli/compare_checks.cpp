#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checks/candidates.h"
#include "checks/files/external_file.h"
#include "cli/by_name.h"
#include "cli/compare_parts.h"
#include "cli/say.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "train/safetensors.h"

namespace byhand::cli {
namespace {

// A slip: the file that is to be computed from.
void refuse_dump(const ExternalFile& file, const std::string& path) {
    if (std::ranges::any_of(file.tensors,
                            [](const StoredTensor& tensor) { return tensor.name.starts_with("oracle/"); })) {
        throw InputError(path +
                         ": a dump, with byhand's and LibTorch's values; compute your own from it (from X, Y, torch/C "
                         "...), and give those in a file of their own, by their bare names, as dW1");
    }
}

// Files of which nothing is of use say why; else what was not read is a note.
void add_not_read(ExternalValues& values, const ExternalFile& file) {
    const bool any_of_use = !values.tensors.empty();
    if (!any_of_use && file.tensors.empty()) {
        values.faults.clear();  // the file holds tensors
    }
    if (any_of_use) {
        std::ranges::transform(file.not_read, std::back_inserter(values.notes),
                               [](const std::string& line) { return "not read: " + line; });
    } else {
        values.faults.insert(values.faults.begin(), file.not_read.begin(), file.not_read.end());
    }
}

}  // namespace

ExternalValues external_values(const std::string& path, const NetworkConfig& network, std::size_t rows) {
    const Graph steps = stepwise_graph(network, rows);
    const std::vector<TensorSpec> specs = external_specs(steps);
    const ExternalFile file = read_external(path, [&](const std::string& name) {
        const TensorSpec* meant = meant_by(name, specs);
        return meant != nullptr ? std::optional<std::uint64_t>(count(meant->shape)) : std::nullopt;
    });
    refuse_dump(file, path);
    ExternalValues values = fit_to(steps, views(file.tensors));
    if (!file.not_read.empty()) {
        add_not_read(values, file);
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

std::unique_ptr<Candidate> planted(const std::string& name, const Run& run, const Reference& reference) {
    const Mistake& mistake = mistake_named(name);
    if (mistake.plant_in_rank != nullptr) {
        throw InputError("the mistake " + name + " is one of several ranks: add --ranks 3");
    }
    const NetworkConfig& network = run.recipe.network;
    DrawnBatch batch(run.recipe.batch, network.context);
    TorchGenerator generator = run.generator;
    draw_batch(batch, run.train, generator);
    PlantedCandidate spoiled =
        with_mistake(mistake, reference, {run.initial, batch.view(), static_cast<float>(rate_at(run.recipe, 0))});
    if (spoiled.culprits.empty()) {
        throw InputError("the mistake " + name + " does not apply to the recipe " + run.recipe.name);
    }
    return std::move(spoiled.candidate);
}

void write_dump(const std::string& path, const Run& run, const DrawnBatch& batch, std::size_t step,
                const Candidates& candidates, const ReferenceModels& reference) {
    std::vector<View> views = {
        {"X", {batch.Y.size(), run.recipe.network.context}, DType::int64, batch.X.data()},
        {"Y", {batch.Y.size()}, DType::int64, batch.Y.data()},
    };
    const auto append = [&views](const std::string& prefix, const Model& implementation) {
        for (View& view : implementation.views()) {
            view.name = prefix + "/" + view.name;
            views.push_back(std::move(view));
        }
    };
    for (const std::unique_ptr<Candidate>& candidate : candidates) {
        append(candidate->model == "stepwise" ? "manual" : candidate->model, *candidate->implementation);
    }
    append("torch", *reference.stepwise);
    append("module", *reference.module);
    append("oracle", *reference.oracle);
    write_external(path, views,
                   {{"recipe", to_json(run.recipe)},
                    {"vocabulary", to_utf8(run.vocabulary.characters)},
                    {"step", std::to_string(step)}});
}

}  // namespace byhand::cli
