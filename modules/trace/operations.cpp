#include "trace/operations.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/json.h"
#include "byhand/torch.h"
#include "trace/reference.h"

namespace byhand {
namespace {

// Its type gives way to that of a tensor.
at::Tensor tensor_of_number(double number) {
    at::Tensor tensor = at::scalar_tensor(number, at::kDouble);
    tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
    return tensor;
}

at::Tensor value_of(const TracedCall& call, const std::vector<at::Tensor>& views) {
    TracedArguments given{call.step, {}};
    for (std::size_t i = 0; i < call.step.inputs.size(); ++i) {
        const std::optional<double> number = call.step.inputs[i].number;
        given.tensors.push_back(call.views[i] ? views[*call.views[i]]
                                : number      ? tensor_of_number(*number)
                                              : at::Tensor());
    }
    return traced_references().at(call.step.operation).compute(given);
}

// The vector–Jacobian product of one operation with the gradient of its result, by autograd.
at::Tensor term_of(const Pullback& pullback, std::size_t of, std::vector<at::Tensor> views, Terms terms) {
    if (terms == Terms::from_results && pullback.result && pullback.gradient) {
        const TracedReference& reference = traced_references().at(pullback.call.step.operation);
        return reference.from_result(pullback.call.step, views[*pullback.result], views[*pullback.gradient]);
    }
    const at::AutoGradMode with_gradients(true);
    const at::Tensor x = views[of].detach();
    x.set_requires_grad(true);
    views[of] = x;
    const at::Tensor y = value_of(pullback.call, views);
    if (!y.requires_grad()) {  // it depends on x in no differentiable way
        return x.detach() * 0;
    }
    const at::Tensor dy = pullback.gradient ? views[*pullback.gradient].to(y.scalar_type())
                                            : at::ones({}, y.options().requires_grad(false)).expand(y.sizes());
    if (dy.sizes() != y.sizes()) {
        throw std::invalid_argument("the gradient of " + pullback.call.step.result + " has the shape " +
                                    to_string(Shape(dy.sizes().begin(), dy.sizes().end())) +
                                    ", but what it is the gradient of " +
                                    to_string(Shape(y.sizes().begin(), y.sizes().end())));
    }
    const at::Tensor dx = torch::autograd::grad({y}, {x}, {dy}, {}, false, true)[0];
    return dx.defined() ? dx.detach() : x.detach() * 0;
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    std::ranges::transform(traced_references(), std::back_inserter(all), [](const auto& one) { return one.first; });
    return all;
}

bool knows(const TracedStep& step) {
    const auto found = traced_references().find(step.operation);
    if (found == traced_references().end()) {
        return false;
    }
    const TracedReference& reference = found->second;
    const std::size_t inputs = step.inputs.size();
    if (inputs < reference.fewest || inputs > reference.most) {
        const std::string fewest = std::to_string(reference.fewest), most = std::to_string(reference.most);
        refuse(step.file, step.path,
               step.operation + " takes " +
                   (reference.fewest == reference.most                          ? fewest
                    : reference.most == std::numeric_limits<std::size_t>::max() ? fewest + " or more"
                                                                                : fewest + " to " + most) +
                   (most == "1" ? " input, not " : " inputs, not ") + std::to_string(inputs) +
                   "; null stands for one that is left out");
    }
    for (std::size_t i = 0; i < inputs; ++i) {
        const bool is_left_out = step.inputs[i].tensor.empty() && !step.inputs[i].number;
        if (is_left_out && (i < reference.fewest || reference.most == std::numeric_limits<std::size_t>::max())) {
            refuse(step.file, step.path,
                   "leaves out input " + std::to_string(i) + ", which " + step.operation + " needs");
        }
    }
    if (reference.has_several_results != step.output.has_value()) {
        refuse(step.file, step.path,
               step.output ? "has an output, but " + step.operation + " has one result; leave it out"
                           : "has no output; add the place of the result among those of " + step.operation +
                                 ", the first of which is 0");
    }
    check_attributes(step, reference.attributes);
    return true;
}

bool has_gradient_from_result(const std::string& operation) {
    return traced_references().at(operation).from_result != nullptr;
}

Evaluate value(TracedCall call, std::size_t views) {
    return evaluation_of(
        [call = std::move(call)](const std::vector<at::Tensor>& tensors) { return value_of(call, tensors); }, views,
        false);
}

Evaluate gradient(std::vector<Pullback> pullbacks, std::size_t of, std::size_t views, Terms terms) {
    const auto sum = [pullbacks = std::move(pullbacks), of, terms](const std::vector<at::Tensor>& tensors) {
        at::Tensor all;
        for (const Pullback& pullback : pullbacks) {
            const at::Tensor term = term_of(pullback, of, tensors, terms);
            const at::Tensor added = terms == Terms::magnitudes ? term.abs() : term;
            all = all.defined() ? all + added : added;
        }
        return all;
    };
    return evaluation_of(sum, views, false);
}

}  // namespace
}  // namespace byhand

const byhand::TracedOperations* byhand_trace() {
    static const byhand::TracedOperations operations = {byhand::names, byhand::knows, byhand::has_gradient_from_result,
                                                        byhand::value, byhand::gradient};
    return &operations;
}
