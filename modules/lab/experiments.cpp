#include "lab/experiments.h"

#include <algorithm>

#include "base/error.h"
#include "base/short_form.h"
#include "base/utf8.h"

namespace byhand::lab {

std::span<const Experiment> experiments() {
    static const std::vector<Experiment> all = {
        loss_experiment(),    invariance_experiment(), geometry_experiment(),    columns_experiment(),
        padding_experiment(), placement_experiment(),  claims_experiment(),      undo_experiment(),
        batch_experiment(),   backward_experiment(),   conventions_experiment(), walkthrough_experiment(),
    };
    return all;
}

void check_recipe(const Recipe& recipe, Networks networks) {
    const auto refuse = [&](const std::string& why) {
        throw InputError("recipe " + printable(recipe.name) + ": " + why);
    };
    if (networks != Networks::chain && !is_plain(recipe.network.optimizer)) {
        refuse("has an optimizer, but this experiment requires plain gradient descent");
    }
    const auto is_changed = [](const OperationConfig& one) { return one.affine || one.epsilon || one.momentum; };
    if (std::ranges::any_of(recipe.network.layers, is_changed)) {
        refuse("this experiment requires batch norms, all of the same conventions");
    }
    for (const Operation& one : operations(recipe.network)) {
        if (one.op == op::kFlatten && one.positions > 1) {
            refuse("flattens by parts, but this experiment requires layers that see the whole context");
        }
        if (one.op == op::kResidual || one.op == op::kDropout || one.layer.is_tied) {
            refuse(
                "has a residual connection, a dropout or tied weights, but this experiment requires layers in a "
                "chain, each with its own weights");
        }
        if ((is_norm(one.op) && one.op != op::kBatchnorm) || (is_activation(one.op) && one.op != op::kTanh)) {
            refuse("has a " + one.op + ", but this experiment requires layers with a batchnorm and a tanh");
        }
    }
    std::vector<OperationConfig> changed = recipe.network.layers;
    if (networks >= Networks::adjustable && place_norms(changed, "before") == 0) {
        refuse("has no activation in a hidden layer, beside which this experiment would place a norm");
    }
}

}  // namespace byhand::lab
