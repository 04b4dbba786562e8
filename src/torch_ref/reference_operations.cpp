#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/softmax.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>

#include "base/error.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/module.h"
#include "torch_ref/operation.h"
#include "torch_ref/stepwise.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

std::vector<double> numbers(const Tensor& tensor) {
    const Tensor rows = tensor.contiguous();
    const double* data = rows.data_ptr<double>();
    return {data, data + rows.numel()};
}

// A result: that of `step`, if there is one, plus the gradients of a value from each of the forward steps that read it.
struct ReferenceOperation {
    std::optional<TorchStep> step;
    TorchSteps uses;
    std::vector<TensorSpec> reads;
};

// The gradient of X from that of a step's result.
Tensor vector_jacobian_product(const TorchStep& use, const std::string& X, Values values) {
    if (use.by_result) {
        return use.by_result(values.at(use.makes), values.at(gradient_of(use.makes)));
    }
    Tensor& wanted = values.at(X);
    wanted = wanted.detach().clone().requires_grad_();
    const Tensor result = result_of(use, values);
    const Tensor cotangent = use.makes == "loss" ? at::ones_like(result) : values.at(gradient_of(use.makes));
    return torch::autograd::grad({result}, {wanted}, {cotangent})[0];
}

class TorchReferenceOperations final : public ReferenceOperations {
public:
    // For all results of `forward` and `later`, and the gradients of all inputs of `forward`; by `formulas` where they
    // exist. `known`: the shapes of values that they read but do not compute.
    TorchReferenceOperations(const std::vector<TensorSpec>& known, const TorchSteps& forward, const TorchSteps& later,
                             const TorchSteps& formulas) {
        for (const TensorSpec& spec : known) {
            shapes_[spec.name] = spec.shape;
        }
        std::ranges::for_each(forward, [&](const TorchStep& step) { add(step.makes, step, {}); });
        for (const std::string& X : backward_order(forward)) {
            add(gradient_of(X), std::nullopt, uses(forward, X));
        }
        std::ranges::for_each(later, [&](const TorchStep& step) { add(step.makes, step, {}); });
        for (const TorchStep& formula : formulas) {
            // A gradient also includes the contributions of other operations that read the value.
            TorchSteps others;
            if (value_of(formula.makes).kind == ValueKind::gradient) {
                others = uses(forward, without_kind(formula.makes));
                std::erase_if(others, [&](const TorchStep& step) { return step.operation == formula.operation; });
            }
            std::erase(names_, formula.makes);
            add(formula.makes, formula, std::move(others));
        }
    }

    std::vector<std::string> names() const override { return names_; }

    std::vector<TensorSpec> reads(const std::string& name) const override { return operations_.at(name).reads; }

    std::vector<double> evaluate(const std::string& name, const std::vector<View>& views) const override {
        const ReferenceOperation& operation = operations_.at(name);
        Values values;
        for (const TensorSpec& spec : operation.reads) {
            const View* view = find(views, spec.name);
            if (view == nullptr) {
                throw std::out_of_range(name + " can't be computed without " + spec.name);
            }
            values[spec.name] = copy_of(*view);
        }
        Tensor sum;
        if (operation.step) {
            const c10::NoGradGuard no_grad;
            sum = result_of(*operation.step, values);
        }
        for (const TorchStep& use : operation.uses) {
            const Tensor product = vector_jacobian_product(use, without_kind(name), values);
            sum = sum.defined() ? sum + product : product;
        }
        return numbers(sum);
    }

private:
    void add(const std::string& name, const std::optional<TorchStep>& step, TorchSteps uses) {
        std::vector<TensorSpec> reads;
        const auto read = [&](const std::string& value) {
            if (std::ranges::find(reads, value, &TensorSpec::name) == reads.end()) {
                const auto shape = shapes_.find(value);
                reads.push_back({value, shape != shapes_.end() ? shape->second : shapes_.at(without_kind(value))});
            }
        };
        if (step) {
            shapes_[name] = step->shape;
            std::ranges::for_each(step->reads, read);
        }
        for (const TorchStep& use : uses) {
            if (use.makes != "loss") {
                read(gradient_of(use.makes));
            }
            if (use.by_result) {
                read(use.makes);
            } else {
                std::ranges::for_each(use.reads, read);
            }
        }
        names_.push_back(name);
        operations_[name] = {step, std::move(uses), std::move(reads)};
    }

    // The forward steps that read X.
    static TorchSteps uses(const TorchSteps& forward, const std::string& X) {
        TorchSteps all;
        std::ranges::copy_if(forward, std::back_inserter(all), [&](const TorchStep& step) {
            return std::ranges::find(step.reads, X) != step.reads.end();
        });
        return all;
    }

    std::map<std::string, Shape> shapes_;
    std::vector<std::string> names_;
    std::map<std::string, ReferenceOperation> operations_;
};

// ---- an operation in isolation ----

using Single = std::unique_ptr<ReferenceOperations>;

Single isolated(const std::vector<TensorSpec>& inputs, const TorchStep& forward, const TorchSteps& later = {}) {
    return std::make_unique<TorchReferenceOperations>(inputs, TorchSteps{forward}, later, TorchSteps());
}

Single batchnorm(const NormConfig& norm, const Shape& wide, const Shape& narrow) {
    const std::string mean = "bnmean_running", spread = "bnvar_running";
    const auto forward = [norm](TensorReads r) { return batch_norm(r[0], {r[1], r[2], {}, {}}, norm, true); };
    const auto evaluation = [norm](TensorReads r) { return batch_norm(r[0], {r[1], r[2], r[3], r[4]}, norm, false); };
    const auto new_mean = [norm](TensorReads r) {
        batch_norm(r[1], {{}, {}, r[0], {}}, norm, true);
        return r[0];
    };
    const auto new_spread = [norm](TensorReads r) {
        batch_norm(r[1], {{}, {}, {}, r[0]}, norm, true);
        return r[0];
    };
    return isolated({{"hprebn", wide}, {"bngain", narrow}, {"bnbias", narrow}, {mean, narrow}, {spread, narrow}},
                    {"hpreact", wide, {"hprebn", "bngain", "bnbias"}, forward},
                    {{update_of(mean), narrow, {mean, "hprebn"}, new_mean},
                     {update_of(spread), narrow, {spread, "hprebn"}, new_spread},
                     {evaluation_of("hpreact"), wide, {"hprebn", "bngain", "bnbias", mean, spread}, evaluation}});
}

// Any operation that the module computes in one step, placed after a linear.
Single in_one_step(const std::string& op, const NormConfig& norm, const Shape& wide) {
    NetworkConfig network;
    network.norm = norm;
    network = with_layers(network, {{op::kLinear, wide.back()}, {op}, {op::kTanh}, {op::kLinear}});
    const Operation operation = operations(network).at(3);  // after embedding, flatten and linear
    std::vector<TensorSpec> inputs = state_of(network, operation).parameters;
    inputs.insert(inputs.begin(), {operation.input, wide});
    TorchStep forward = torch_ref::in_one_step(network, operation);
    forward.shape = wide;
    return isolated(inputs, forward);
}

Single loss(const Shape& wide, Tensor (*of)(TensorReads logits_and_Y)) {
    return isolated({{"logits", wide}, {"Y", {wide.front()}}}, {"loss", {}, {"logits", "Y"}, of});
}

Tensor cross_entropy(TensorReads r) {
    return at::cross_entropy_loss(r[0], r[1]);
}

Tensor squared_error(TensorReads r) {
    const Tensor one_hot = at::one_hot(r[1], r[0].size(1)).to(at::kDouble);
    return at::mse_loss(at::softmax(r[0], 1), one_hot, at::Reduction::Sum) / static_cast<double>(2 * r[0].size(0));
}

}  // namespace

std::unique_ptr<ReferenceOperations> reference_operations(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                          const TorchOperations& known) {
    check_network(config, rows);
    std::vector<TensorSpec> shapes = state(config);
    shapes.insert(shapes.end(), {{"X", {rows, config.context}}, {"Y", {rows}}, {"rate", {}}});
    TorchSteps forward = forward_steps(config, rows, known), by_formula;
    if (form != HandForm::stepwise) {
        for (const TorchStep& step : forward) {  // formulas may read values of the small steps
            shapes.push_back({step.makes, step.shape});
        }
        forward = collapsed_forward_steps(config, rows, known);
        by_formula = formulas(config, rows, known, form);
    }
    return std::make_unique<TorchReferenceOperations>(shapes, forward, later_steps(config, rows, known), by_formula);
}

std::unique_ptr<ReferenceOperations> single_operation(const std::string& op, const NormConfig& norm, std::size_t rows,
                                                      std::size_t columns) {
    const Shape wide = {rows, columns};
    if (op == op::kBatchnorm) {
        return batchnorm(norm, wide, {columns});
    }
    if (op == op::kLayernorm || op == op::kRmsnorm) {
        return in_one_step(op, norm, wide);
    }
    if (op == op::kCrossEntropy) {
        return loss(wide, cross_entropy);
    }
    if (op == "squared_error") {
        return loss(wide, squared_error);
    }
    throw InputError("the LibTorch implementation has no isolated operation called \"" + op + "\"");
}

}  // namespace byhand::torch_ref
