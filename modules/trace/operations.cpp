#include "trace/operations.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/json.h"
#include "byhand/torch.h"
#include "trace/binding.h"
#include "trace/reference.h"

namespace byhand {
namespace {

// Its type gives way to that of a tensor.
at::Tensor tensor_of_number(double number) {
    at::Tensor tensor = at::scalar_tensor(number, at::kDouble);
    tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
    return tensor;
}

// An operation on views.
struct Call {
    BoundStep step;
    std::vector<std::optional<std::size_t>> views;
    std::vector<at::Tensor> inputs;  // numbers, and an undefined tensor for each view
    std::string result;
};

Call call_of(const TracedCall& traced) {
    const TracedStep& step = traced.step;
    Call made{bound(step, traced_overloads().at(step.operation)), traced.views, {}, step.result};
    for (const TracedInput& input : step.inputs) {
        made.inputs.push_back(input.number ? tensor_of_number(*input.number) : at::Tensor());
    }
    return made;
}

at::Tensor value_of(const Call& made, const std::vector<at::Tensor>& views) {
    std::vector<at::Tensor> inputs = made.inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        inputs[i] = made.views[i] ? views[*made.views[i]] : inputs[i];
    }
    return call(made.step, inputs);
}

struct Term {
    Call call;
    std::optional<std::size_t> gradient, result;
    FromResult from_result = nullptr;
    std::int64_t dim = 0;
};

// The vector–Jacobian product of one operation with the gradient of its result, by autograd.
at::Tensor value_of(const Term& term, std::size_t of, std::vector<at::Tensor> views, Terms terms) {
    if (terms == Terms::from_results && term.result && term.gradient) {
        return term.from_result(views[*term.result], views[*term.gradient], term.dim);
    }
    const at::AutoGradMode with_gradients(true);
    const at::Tensor x = views[of].detach();
    x.set_requires_grad(true);
    views[of] = x;
    const at::Tensor y = value_of(term.call, views);
    if (!y.requires_grad()) {  // it depends on x in no differentiable way
        return x.detach() * 0;
    }
    const at::Tensor dy = term.gradient ? views[*term.gradient].to(y.scalar_type())
                                        : at::ones({}, y.options().requires_grad(false)).expand(y.sizes());
    if (dy.sizes() != y.sizes()) {
        throw std::invalid_argument("the gradient of " + term.call.result + " has the shape " +
                                    to_string(Shape(dy.sizes().begin(), dy.sizes().end())) +
                                    ", but what it is the gradient of " +
                                    to_string(Shape(y.sizes().begin(), y.sizes().end())));
    }
    const at::Tensor dx = torch::autograd::grad({y}, {x}, {dy}, {}, false, true)[0];
    return dx.defined() ? dx.detach() : x.detach() * 0;
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    std::ranges::transform(traced_overloads(), std::back_inserter(all), [](const auto& one) { return one.first; });
    return all;
}

bool knows(const TracedStep& step) {
    const auto found = traced_overloads().find(step.operation);
    if (found != traced_overloads().end()) {
        bound(step, found->second);
    }
    return found != traced_overloads().end();
}

bool has_gradient_from_result(const std::string& operation) {
    return gradient_from_result(operation) != nullptr;
}

Evaluate value(const TracedCall& call, std::size_t views) {
    return evaluation_of([made = call_of(call)](const std::vector<at::Tensor>& given) { return value_of(made, given); },
                         views, false);
}

Evaluate gradient(const std::vector<Pullback>& pullbacks, std::size_t of, std::size_t views, Terms terms) {
    std::vector<Term> all;
    for (const Pullback& one : pullbacks) {
        const Json* const dim = one.call.step.attributes.find("dim");
        all.push_back({call_of(one.call), one.gradient, one.result, gradient_from_result(one.call.step.operation),
                       one.result && dim != nullptr ? dim->get<std::int64_t>() : 0});
    }
    const auto sum = [all = std::move(all), of, terms](const std::vector<at::Tensor>& given) {
        at::Tensor total;
        for (const Term& one : all) {
            const at::Tensor term = value_of(one, of, given, terms);
            const at::Tensor added = terms == Terms::magnitudes ? term.abs() : term;
            total = total.defined() ? total + added : added;
        }
        return total;
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
