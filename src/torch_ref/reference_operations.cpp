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
#include <stdexcept>

#include "base/error.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/module.h"
#include "torch_ref/operations.h"
#include "torch_ref/stepwise.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;
using Values = std::map<std::string, Tensor>;

std::vector<double> numbers(const Tensor& tensor) {
    const Tensor rows = tensor.contiguous();
    const double* data = rows.data_ptr<double>();
    return {data, data + rows.numel()};
}

class TorchReferenceOperations final : public ReferenceOperations {
public:
    explicit TorchReferenceOperations(std::vector<ReferenceOperation> operations) {
        for (ReferenceOperation& operation : operations) {
            names_.push_back(operation.name);
            operations_[operation.name] = std::move(operation);
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
        return numbers(operation.evaluate(values));
    }

private:
    std::vector<std::string> names_;
    std::map<std::string, ReferenceOperation> operations_;
};

// The collected steps and values of the step lists.
class OperationList {
public:
    // `given`: inputs that no step computes.
    OperationList(const std::vector<TensorSpec>& given, const TorchSteps& forward) : forward_(forward) {
        for (const TensorSpec& spec : given) {
            shapes_[spec.name] = spec.shape;
        }
    }

    // The step itself.
    void ask(const TorchStep& step) {
        shapes_[step.makes] = step.shape;
        std::vector<TensorSpec> reads;
        for (const std::string& name : step.reads) {
            reads.push_back({name, shape_of(name)});
        }
        operations_.push_back({step.makes, std::move(reads), [step](const Values& values) {
                                   const c10::NoGradGuard no_grad;
                                   std::vector<Tensor> given;
                                   for (const std::string& name : step.reads) {
                                       given.push_back(values.at(name));
                                   }
                                   return step.apply(given);
                               }});
    }

    // The gradient of X: the sum over the forward steps that read it, all of which are already in the lists.
    void ask_gradient(const std::string& X) {
        operations_.push_back(with_uses({gradient_of(X), {}, nullptr}, X, uses(X)));
    }

    // Replaces the reference operation of the same name by an operation's own formula. A gradient also includes the
    // contributions of other operations that read the value.
    void replace(const ReferenceOperation& formula) {
        std::erase_if(operations_, [&](const ReferenceOperation& operation) { return operation.name == formula.name; });
        const std::string X = without_kind(formula.name);
        TorchSteps others = value_of(formula.name).kind == ValueKind::gradient ? uses(X) : TorchSteps();
        std::erase_if(others, [&](const TorchStep& step) { return step.operation == formula.operation; });
        operations_.push_back(with_uses(formula, X, others));
    }

    std::vector<ReferenceOperation> take() { return std::move(operations_); }

private:
    Shape shape_of(const std::string& name) const {
        const auto known = shapes_.find(name);
        return known != shapes_.end() ? known->second : shapes_.at(without_kind(name));
    }

    static Tensor vector_jacobian_product(const TorchStep& use, const std::string& X, const Values& values) {
        if (use.by_result) {
            return use.by_result(values.at(use.makes), values.at(gradient_of(use.makes)));
        }
        std::vector<Tensor> reads;
        Tensor wanted;
        for (const std::string& name : use.reads) {
            Tensor value = values.at(name);
            if (name == X) {
                value = value.detach().clone().requires_grad_();
                wanted = value;
            }
            reads.push_back(value);
        }
        const Tensor result = use.apply(reads);
        const Tensor cotangent = use.makes == "loss" ? at::ones_like(result) : values.at(gradient_of(use.makes));
        return torch::autograd::grad({result}, {wanted}, {cotangent})[0];
    }

    // The forward steps that read X.
    TorchSteps uses(const std::string& X) const {
        TorchSteps all;
        std::ranges::copy_if(forward_, std::back_inserter(all), [&](const TorchStep& step) {
            return std::ranges::find(step.reads, X) != step.reads.end();
        });
        return all;
    }

    // The reference operation with the gradient of X from each use added to its result, if it has one.
    ReferenceOperation with_uses(ReferenceOperation operation, const std::string& X, const TorchSteps& uses) const {
        const auto read = [&](const std::string& name) {
            if (std::ranges::none_of(operation.reads, [&](const TensorSpec& spec) { return spec.name == name; })) {
                operation.reads.push_back({name, shape_of(name)});
            }
        };
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
        operation.evaluate = [X, uses, own = std::move(operation.evaluate)](const Values& values) {
            Tensor sum = own ? own(values) : Tensor();
            for (const TorchStep& use : uses) {
                const Tensor product = vector_jacobian_product(use, X, values);
                sum = sum.defined() ? sum + product : product;
            }
            return sum;
        };
        return operation;
    }

    const TorchSteps& forward_;
    std::map<std::string, Shape> shapes_;
    std::vector<ReferenceOperation> operations_;
};

// For all results of `forward` and `after`, and the gradients of all inputs of `forward`; with `formulas` where they
// exist.
std::vector<ReferenceOperation> all_operations(const std::vector<TensorSpec>& given, const TorchSteps& forward,
                                               const TorchSteps& after,
                                               const std::vector<ReferenceOperation>& formulas) {
    OperationList operations(given, forward);
    std::ranges::for_each(forward, [&](const TorchStep& step) { operations.ask(step); });
    for (const std::string& name : backward_order(forward)) {
        operations.ask_gradient(name);
    }
    std::ranges::for_each(after, [&](const TorchStep& step) { operations.ask(step); });
    std::ranges::for_each(formulas, [&](const ReferenceOperation& formula) { operations.replace(formula); });
    return operations.take();
}

// ---- a network ----

TorchSteps update_and_evaluation(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps = update_steps(config, rows, known);
    std::ranges::move(evaluation_steps(config, rows, known), std::back_inserter(steps));
    return steps;
}

// ---- an operation in isolation ----

struct SingleOperation {
    std::vector<TensorSpec> given;  // all inputs
    TorchStep forward;
    TorchSteps after;
};

SingleOperation batchnorm(const NormConfig& norm, const Shape& wide, const Shape& narrow) {
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
    return {{{"hprebn", wide}, {"bngain", narrow}, {"bnbias", narrow}, {mean, narrow}, {spread, narrow}},
            {"hpreact", wide, {"hprebn", "bngain", "bnbias"}, forward},
            {{update_of(mean), narrow, {mean, "hprebn"}, new_mean},
             {update_of(spread), narrow, {spread, "hprebn"}, new_spread},
             {evaluation_of("hpreact"), wide, {"hprebn", "bngain", "bnbias", mean, spread}, evaluation}}};
}

// Any operation that the module computes in one step, placed after a linear.
SingleOperation in_one_step(const std::string& op, const NormConfig& norm, const Shape& wide) {
    NetworkConfig network;
    network.norm = norm;
    network = with_layers(network, {{op::kLinear, wide.back()}, {op}, {op::kTanh}, {op::kLinear}});
    const Operation operation = operations(network).at(3);  // after embedding, flatten and linear
    SingleOperation single = {state_of(network, operation).parameters, torch_ref::in_one_step(network, operation), {}};
    single.given.insert(single.given.begin(), {operation.input, wide});
    single.forward.shape = wide;
    return single;
}

SingleOperation loss(const Shape& wide, Tensor (*of)(TensorReads logits_and_Y)) {
    return {{{"logits", wide}, {"Y", {wide.front()}}}, {"loss", {}, {"logits", "Y"}, of}, {}};
}

Tensor cross_entropy(TensorReads r) {
    return at::cross_entropy_loss(r[0], r[1]);
}

Tensor squared_error(TensorReads r) {
    const Tensor one_hot = at::one_hot(r[1], r[0].size(1)).to(at::kDouble);
    return at::mse_loss(at::softmax(r[0], 1), one_hot, at::Reduction::Sum) / static_cast<double>(2 * r[0].size(0));
}

SingleOperation single_operation(const std::string& op, const NormConfig& norm, const Shape& wide) {
    const Shape narrow = {wide.back()};
    if (op == op::kBatchnorm) {
        return batchnorm(norm, wide, narrow);
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

}  // namespace

std::unique_ptr<ReferenceOperations> reference_operations(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                          const TorchOperations& known) {
    check_network(config, rows);
    const bool stepwise = form == HandForm::stepwise;
    std::vector<TensorSpec> given = state(config);
    given.insert(given.end(), {{"X", {rows, config.context}}, {"Y", {rows}}, {"rate", {}}});
    std::vector<ReferenceOperation> by_formula;
    if (!stepwise) {
        by_formula =
            formulas(config, rows, known,
                     form == HandForm::fused ? &TorchOperation::fused_formulas : &TorchOperation::collapsed_formulas);
    }
    return std::make_unique<TorchReferenceOperations>(
        all_operations(given, (stepwise ? forward_steps : collapsed_forward_steps)(config, rows, known),
                       update_and_evaluation(config, rows, known), by_formula));
}

std::unique_ptr<ReferenceOperations> single_operation(const std::string& op, const NormConfig& norm, std::size_t rows,
                                                      std::size_t columns) {
    const SingleOperation single = single_operation(op, norm, {rows, columns});
    return std::make_unique<TorchReferenceOperations>(all_operations(single.given, {single.forward}, single.after, {}));
}

}  // namespace byhand::torch_ref
