#include "trace/reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/nll_loss_nd.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace byhand {
namespace {

using Arguments = torch::jit::Stack;

// ---- Operations that are another one, or none, in ATen ----

at::Tensor tensor_or_none(const c10::IValue& value) {
    return value.isNone() ? at::Tensor() : value.toTensor();
}

// (input, running_mean, running_var, weight, bias, training, momentum, eps)
at::Tensor batch_norm(const Arguments& x) {
    const bool training = x[5].toBool();
    if (!training && (x[1].isNone() || x[2].isNone())) {
        throw std::invalid_argument("without training it needs the running mean and variance as inputs 1 and 2");
    }
    // In training they have no influence, and would be changed.
    const at::Tensor none, mean = training ? none : x[1].toTensor(), variance = training ? none : x[2].toTensor();
    return at::batch_norm(x[0].toTensor(), tensor_or_none(x[3]), tensor_or_none(x[4]), mean, variance, training,
                          x[6].toDouble(), x[7].toDouble(), false);
}

// (input, normalized_shape, weight, eps): x/√(mean x² + ε)·weight
at::Tensor rms_norm(const Arguments& x) {
    std::vector<std::int64_t> dims;
    for (std::size_t i = 0; i < x[1].toIntVector().size(); ++i) {
        dims.push_back(-1 - static_cast<std::int64_t>(i));
    }
    const at::Tensor input = x[0].toTensor();
    const at::Tensor y = input * ((input * input).mean(dims, true) + x[3].toDouble()).rsqrt();
    return x[2].isNone() ? y : y * x[2].toTensor();
}

// (query, key, value, attn_mask, is_causal, scale): softmax(q·kᵀ·scale + mask)·v. A mask of whole numbers says for each
// pair whether it counts.
at::Tensor attention(const Arguments& x) {
    const at::Tensor query = x[0].toTensor();
    const double scale = x[5].isNone() ? 1 / std::sqrt(static_cast<double>(query.size(-1))) : x[5].toDouble();
    at::Tensor scores = query.matmul(x[1].toTensor().transpose(-2, -1)) * scale;
    const double least = -std::numeric_limits<double>::infinity();
    if (x[4].toBool()) {
        const at::Tensor counts = at::ones({scores.size(-2), scores.size(-1)}, at::kBool).tril();
        scores = scores.masked_fill(counts.logical_not(), least);
    }
    if (!x[3].isNone()) {
        const at::Tensor mask = x[3].toTensor();
        scores = at::isFloatingType(mask.scalar_type()) ? scores + mask
                                                        : scores.masked_fill(mask.to(at::kBool).logical_not(), least);
    }
    return scores.softmax(-1).matmul(x[2].toTensor());
}

// (input, mask, p): x·mask/(1 − p); without a mask, as in evaluation, x
at::Tensor dropout(const Arguments& x) {
    const at::Tensor input = x[0].toTensor();
    return x[1].isNone() ? input : input * x[1].toTensor().to(input.scalar_type()) / (1 - x[2].toDouble());
}

// (input, target, weight, reduction, ignore_index, label_smoothing). The target has class indices, or a probability for
// each class.
at::Tensor cross_entropy(const Arguments& x) {
    return at::cross_entropy_loss(x[0].toTensor(), x[1].toTensor(), tensor_or_none(x[2]), x[3].toInt(), x[4].toInt(),
                                  x[5].toDouble());
}

at::Tensor nll_loss(const Arguments& x) {
    return at::nll_loss_nd(x[0].toTensor(), x[1].toTensor(), tensor_or_none(x[2]), x[3].toInt(), x[4].toInt());
}

// (input, weight, padding_idx)
at::Tensor embedding(const Arguments& x) {
    return at::embedding(x[1].toTensor(), x[0].toTensor(), x[2].toInt());
}

at::Tensor view(const Arguments& x) {
    return x[0].toTensor().reshape(x[1].toIntVector());
}

// Between types, too: that of the result decides its limits.
at::Tensor same(const Arguments& x) {
    return x[0].toTensor();
}

// The arguments of their schemas.
c10::Argument tensor(const char* name) {
    return {name, c10::TensorType::get()};
}
c10::Argument optional_tensor(const char* name) {
    return {name, c10::OptionalType::ofTensor()};
}
c10::Argument wholes(const char* name) {
    return {name, c10::ListType::ofInts()};
}
c10::Argument option(const char* name, const c10::IValue& value) {
    return {name, value.type(), c10::nullopt, value};
}

struct Replacement {
    const char* name;
    std::vector<c10::Argument> arguments;
    at::Tensor (*compute)(const Arguments& arguments);
};

std::vector<Replacement> replacements() {
    const c10::Argument input = tensor("input"), weight = optional_tensor("weight");
    const c10::Argument reduction = option("reduction", std::int64_t{at::Reduction::Mean});
    const c10::Argument ignored = option("ignore_index", std::int64_t{-100});
    const c10::Argument scale("scale", c10::OptionalType::create(c10::FloatType::get()), c10::nullopt, c10::IValue());
    return {{"batch_norm",
             {input, optional_tensor("running_mean"), optional_tensor("running_var"), weight, optional_tensor("bias"),
              option("training", false), option("momentum", 0.1), option("eps", 1e-5)},
             batch_norm},
            {"rms_norm", {input, wholes("normalized_shape"), weight, {"eps", c10::FloatType::get()}}, rms_norm},
            {"scaled_dot_product_attention",
             {tensor("query"), tensor("key"), tensor("value"), optional_tensor("attn_mask"), option("is_causal", false),
              scale},
             attention},
            {"dropout", {input, optional_tensor("mask"), option("p", 0.5)}, dropout},
            {"cross_entropy",
             {input, tensor("target"), weight, reduction, ignored, option("label_smoothing", 0.0)},
             cross_entropy},
            {"nll_loss", {input, tensor("target"), weight, reduction, ignored}, nll_loss},
            {"embedding", {input, tensor("weight"), option("padding_idx", std::int64_t{-1})}, embedding},
            {"view", {input, wholes("shape")}, view},
            {"identity", {input}, same},
            {"to", {input}, same}};
}

bool is_list_of_tensors(const c10::TypePtr& type) {
    return type->isSubtypeOf(*c10::ListType::ofTensors()) || type->isSubtypeOf(*c10::ListType::ofOptionalTensors());
}

// Whether what an operation computes follows from its inputs alone, and inputs in a row are enough to say which is
// which: a list of tensors takes all that are left.
bool is_a_function(const c10::OperatorHandle& operation) {
    const c10::FunctionSchema& schema = operation.schema();
    const auto is_tensor = [](const c10::Argument& result) {
        return result.type()->isSubtypeOf(*c10::TensorType::get()) ||
               result.type()->isSubtypeOf(*c10::ListType::ofTensors());
    };
    const auto& arguments = schema.arguments();
    const auto is_list = [](const c10::Argument& one) { return is_list_of_tensors(one.type()); };
    const auto is_input = [&](const c10::Argument& one) {
        return is_list(one) || one.type()->isSubtypeOf(*c10::OptionalType::ofTensor());
    };
    const auto list = std::ranges::find_if(arguments, is_list);
    return !schema.is_mutable() && !schema.returns().empty() && std::ranges::all_of(schema.returns(), is_tensor) &&
           (list == arguments.end() || std::none_of(list + 1, arguments.end(), is_input)) &&
           !operation.hasTag(at::Tag::nondeterministic_seeded) &&
           schema.name().find("empty") == std::string::npos;  // what they return is not written
}

TracedOverloads make_overloads() {
    TracedOverloads all;
    c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
    const std::string space = "aten::";
    for (const c10::OperatorName& name : dispatcher.getAllOpNames()) {
        const auto operation = dispatcher.findSchema(name);
        if (name.name.starts_with(space) && operation && is_a_function(*operation)) {
            all[name.name.substr(space.size())].push_back(
                {operation->schema(), [call = *operation](torch::jit::Stack& stack) { call.callBoxed(stack); }});
        }
    }
    for (auto& [name, overloads] : all) {
        std::ranges::sort(overloads, {}, [](const TracedOperation& one) { return one.schema.overload_name(); });
    }
    for (const auto& [name, arguments, compute] : replacements()) {
        const c10::Argument result("", c10::TensorType::get());
        all[name] = {{c10::FunctionSchema(name, "", arguments, {result}),
                      [compute = compute](Arguments& stack) { stack = {compute(stack)}; }}};
    }
    return all;
}

}  // namespace

const TracedOverloads& traced_overloads() {
    static const TracedOverloads all = make_overloads();
    return all;
}

FromResult gradient_from_result(const std::string& operation) {
    using T = at::Tensor;
    static const std::map<std::string, FromResult> all = {
        {"exp", [](const T& y, const T& dy, std::int64_t) { return dy * y; }},
        {"sqrt", [](const T& y, const T& dy, std::int64_t) { return dy / (2 * y); }},
        {"tanh", [](const T& y, const T& dy, std::int64_t) { return dy * (1 - y * y); }},
        {"sigmoid", [](const T& y, const T& dy, std::int64_t) { return dy * y * (1 - y); }},
        {"softmax", [](const T& y, const T& dy, std::int64_t dim) { return y * (dy - (dy * y).sum(dim, true)); }},
        {"log_softmax", [](const T& y, const T& dy, std::int64_t dim) { return dy - y.exp() * dy.sum(dim, true); }}};
    const auto found = all.find(operation);
    return found != all.end() ? found->second : nullptr;
}

}  // namespace byhand
