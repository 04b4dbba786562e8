#include <utility>

#include "base/utf8.h"
#include "cli/compare_parts.h"
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
    write_external(path, views,
                   {{"recipe", to_json(run.recipe)},
                    {"vocabulary", to_utf8(run.vocabulary.characters)},
                    {"step", std::to_string(step)}});
}

}  // namespace byhand::cli
