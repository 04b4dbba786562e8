#include "lab/undo/undo.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "lab/first_step.h"
#include "lab/held.h"
#include "lab/undo/drift.h"
#include "lab/undo/identity.h"
#include "lab/undo/training.h"

namespace byhand::lab {
namespace {

// What the update of γ and β reads and makes.
bool belongs_to_update(const std::string& name) {
    return std::ranges::any_of(std::array{"dbngain", "dbnbias", "new_bngain", "new_bnbias"},
                               [&](const char* begins) { return name.starts_with(begins); });
}

void tell_updates(Document& document, const FirstStep& first, const Setting& setting) {
    document.blocks.emplace_back(
        Text{"Their updates are those of any parameter, each with its own gradient: γ ← γ − α·dL/dγ, β ← β − α·dL/dβ. "
             "(The note writes dL/dβ in both.)"});
    document.blocks.emplace_back(Formulas{{"batchnorm_gain_backward", "batchnorm_bias_backward", "descend"}});
    if (setting.torch == nullptr) {
        return;
    }
    const Held held = hold_against_torch(*setting.torch, first, {"stepwise", "fused"});
    Table table{"one step from drawn γ and β, by hand in float against torch::nn and torch::optim::SGD",
                {"", "by", "largest difference", "of limit", "verdict"},
                {}};
    Json& data = document.data["updates"] = Json::array();
    for (const ComparedTensor& tensor : held.step.tensors) {
        const TensorResult& result = tensor.result;
        if (tensor.reference != "module" || !belongs_to_update(result.name)) {
            continue;
        }
        const Cell none("–");
        table.rows.push_back({result.name, tensor.model, result.difference ? significant(*result.difference, 2) : none,
                              result.used ? percent(*result.used) : none, to_string(result.verdict)});
        data.push_back({{"name", result.name},
                        {"model", tensor.model},
                        {"used", number(result.used.value_or(std::numeric_limits<double>::quiet_NaN()))},
                        {"verdict", to_string(result.verdict)}});
        document.agrees = document.agrees && !contradicts(result.verdict);
    }
    document.blocks.emplace_back(std::move(table));
}

}  // namespace

Document undo(const UndoOptions& options, const Material& material, const Setting& setting) {
    const NormConfig& norm = options.recipe.network.norm;
    if (norm.place == NormPlace::none || !norm.affine) {
        throw InputError(
            "undo needs a norm with γ and β to undo it: --norm before or after, and a recipe that has them");
    }
    Document document{"lab undo", "note 4", "What γ and β can undo", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"The note says of γ and β that with them a network can undo the normalisation where it does better "
             "without: with γ = √(σ² + ε) and β = μ the norm is the identity. First whether that is so; then whether "
             "training goes there; then how γ and β are updated, and what the note's slip would do."});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_normalise", "batchnorm_scale_shift"}});
    const FirstStep first = first_step(options.recipe, material);
    tell_identity(document, first, setting);
    const UndoTrainings trainings = train_for_undo(options, first, material, setting);
    if (std::ranges::all_of(trainings.right, &Trained::finite)) {
        document.blocks.emplace_back(Text{fmt::format(
            "In training, γ and β begin at the recipe's values. σ and μ of a unit are taken over {} examples of the "
            "training part, since those of a batch jump about. They move as well, so beside each distance stands what "
            "it would be had γ and β stayed. The share of the way is 1 where γ is σ in every unit, and 0 where it has "
            "not moved.",
            std::min(kRowsOfMoments, first.run.train.size()))});
        tell_drift(document, trainings.moments);
    } else {
        document.blocks.emplace_back(Text{"A training met a loss that is not finite: where γ and β go is not shown."});
    }
    tell_updates(document, first, setting);
    tell_slip(document, trainings, first.network());
    return document;
}

}  // namespace byhand::lab
