#include "byhand/torch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

#include "library/torch/random_rounding.h"

namespace byhand {
namespace {

at::ScalarType type_of(DType dtype) {
    constexpr at::ScalarType kTypes[] = {at::kFloat, at::kDouble, at::kLong,  at::kBFloat16,
                                         at::kHalf,  at::kChar,   at::kShort, at::kInt};  // in the order of DType
    return kTypes[static_cast<std::size_t>(dtype)];
}

bool has_numbers(const at::Tensor& tensor) {
    return at::isFloatingType(tensor.scalar_type());
}

Computed computed(std::string name, const at::Tensor& tensor) {
    // Autograd has tensors of zeros without memory.
    const at::Tensor all = tensor._is_zerotensor() ? at::zeros(tensor.sizes(), at::kDouble) : tensor.detach();
    const at::Tensor numbers = all.to(at::kDouble).contiguous();
    const auto* data = numbers.data_ptr<double>();
    return {std::move(name), Shape(numbers.sizes().begin(), numbers.sizes().end()), {data, data + numbers.numel()}};
}

// "(7, 27), (27)"
std::string shapes_of(const std::vector<at::Tensor>& tensors) {
    std::string text;
    for (const at::Tensor& tensor : tensors) {
        text += (text.empty() ? "" : ", ") + to_string(Shape(tensor.sizes().begin(), tensor.sizes().end()));
    }
    return text;
}

// The function's value, of inputs in the type of the evaluation.
at::Tensor value_of(const TensorFunction& function, const std::vector<at::Tensor>& inputs) {
    const auto refused = [&](const std::string& why) {
        return std::invalid_argument("the reference does not accept inputs of " + shapes_of(inputs) + ": " +
                                     why.substr(0, why.find('\n')));
    };
    try {
        at::Tensor value = function(inputs);
        if (!value.defined()) {
            throw refused("it returns no tensor");
        }
        return value;
    } catch (const c10::Error& error) {
        throw refused(error.what_without_backtrace());
    } catch (const std::invalid_argument&) {
        throw;
    } catch (const std::exception& error) {
        throw refused(error.what());
    } catch (...) {
        throw refused("it throws an object other than std::exception");
    }
}

// What has no numbers as it is.
std::vector<at::Tensor> in_type(const std::vector<at::Tensor>& inputs, DType type) {
    std::vector<at::Tensor> converted;
    converted.reserve(inputs.size());
    for (const at::Tensor& input : inputs) {
        converted.push_back(has_numbers(input) ? input.detach().to(type_of(type)) : input);
    }
    return converted;
}

// The value y, and the gradient of each input with numbers if there is a dy.
std::vector<Computed> evaluate(const TensorFunction& function, std::vector<at::Tensor> inputs,
                               const std::vector<std::string>& names, const at::Tensor& dy) {
    if (!dy.defined()) {
        const c10::NoGradGuard no_gradients;
        return {computed("y", value_of(function, inputs))};
    }
    torch::autograd::variable_list sources;
    std::vector<std::string> of;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (has_numbers(inputs[i])) {
            inputs[i].set_requires_grad(true);
            sources.push_back(inputs[i]);
            of.push_back("d" + names[i]);
        }
    }
    const at::Tensor y = value_of(function, inputs);
    if (!y.requires_grad()) {
        throw std::invalid_argument("autograd has no gradient of the reference: its result depends on no input");
    }
    const torch::autograd::variable_list gradients =
        torch::autograd::grad({y}, sources, {dy.to(y.scalar_type())}, {}, false, true);
    std::vector<Computed> all = {computed("y", y)};
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        all.push_back(computed(of[i], gradients[i].defined() ? gradients[i] : sources[i].detach() * 0));
    }
    return all;
}

// evaluation(inputs), as `precision` says. Where inputs are tiny, a kernel whose products are grouped in another way
// may lose them to underflow: then it is evaluated again, with these moved, unless it only copies or is exact.
std::vector<Computed> evaluate_with(Precision precision, const void* of, const std::vector<at::Tensor>& inputs,
                                    const auto& evaluation) {
    if (precision.type != DType::float32 && precision.seed == 0) {
        return evaluation(inputs);
    }
    const auto rounded = [&](const std::vector<at::Tensor>& of_inputs) {
        const RandomRounding rounding(precision, of);
        std::vector<Computed> all = evaluation(of_inputs);
        for (Computed& one : all) {
            rounding.describe(one);
        }
        return all;
    };
    if (precision.seed == 0 || std::ranges::none_of(inputs, has_tiny_numbers)) {
        return rounded(inputs);
    }
    std::vector<at::Tensor> moved;
    std::ranges::transform(inputs, std::back_inserter(moved),
                           [&](const at::Tensor& input) { return with_tiny_numbers_moved(input, precision.seed); });
    const std::vector<Computed> all = rounded(moved);
    return std::ranges::all_of(all, &Computed::exact) ? rounded(inputs) : all;
}

}  // namespace

at::Tensor tensor_of(const View& view) {
    std::vector<std::int64_t> sizes(view.shape.begin(), view.shape.end());
    // from_blob takes no pointer to const.
    return at::from_blob(const_cast<void*>(view.data), sizes, at::TensorOptions(type_of(view.dtype))).clone();
}

Evaluate evaluation_of(TensorFunction function, std::vector<at::Tensor> inputs) {
    return [function = std::move(function), inputs = std::move(inputs)](const std::vector<View>& /*none*/,
                                                                        Precision precision) {
        const std::vector<at::Tensor> converted = in_type(inputs, precision.type);
        return evaluate_with(precision, &function, converted,
                             [&](const std::vector<at::Tensor>& all) { return evaluate(function, all, {}, {}); });
    };
}

Evaluate evaluation_of(TensorFunction function, std::size_t inputs, bool gradients) {
    return [function = std::move(function), inputs, gradients](const std::vector<View>& views, Precision precision) {
        if (views.size() < inputs) {
            throw std::invalid_argument("a function of " + std::to_string(inputs) + " tensors is given " +
                                        std::to_string(views.size()));
        }
        std::vector<at::Tensor> tensors;
        std::vector<std::string> names;
        for (const View& view : views) {
            tensors.push_back(tensor_of(view));
            names.push_back(view.name);
        }
        tensors = in_type(tensors, precision.type);
        const bool has_dy = gradients && tensors.size() > inputs;
        return evaluate_with(precision, &function, tensors, [&](std::vector<at::Tensor> all) {
            const at::Tensor dy = has_dy ? all.back() : at::Tensor();
            all.resize(inputs);
            return evaluate(function, std::move(all), names, dy);
        });
    };
}

}  // namespace byhand
