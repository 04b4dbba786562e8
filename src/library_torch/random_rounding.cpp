#include "library_torch/random_rounding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/tanh.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/mixed.h"

namespace byhand {
namespace {

// The dispatch key whose handlers see an operation before all others. LibTorch has it for such modes.
constexpr c10::DispatchKey kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

thread_local std::uint64_t state = 0;

bool is_float(const c10::IValue& value) {
    return value.isTensor() && value.toTensor().defined() && value.toTensor().scalar_type() == at::kFloat;
}

// The tensor, each element moved up or down by `units` units in the last place.
at::Tensor moved(const at::Tensor& tensor, double units) {
    const at::Tensor factors = at::empty(tensor.sizes(), tensor.options().requires_grad(false));
    const std::span<float> all(factors.data_ptr<float>(), static_cast<std::size_t>(factors.numel()));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        bits = i % 64 == 0 ? mixed(++state) : bits >> 1;
        all[i] = static_cast<float>(1 + (bits % 2 == 0 ? units : -units) * 0x1p-23);
    }
    return tensor * factors;
}

// Copies of elements, which round nothing.
bool is_exact(const std::string& name) {
    static const std::set<std::string> exact = {"aten::cat",          "aten::clone",       "aten::contiguous",
                                                "aten::copy_",        "aten::gather",      "aten::index",
                                                "aten::index_select", "aten::masked_fill", "aten::neg",
                                                "aten::relu",         "aten::repeat",      "aten::stack",
                                                "aten::to",           "aten::_to_copy",    "aten::where",
                                                "aten::embedding",    "aten::abs",         "aten::amax",
                                                "aten::maximum",      "aten::max",         "aten::threshold_backward"};
    return exact.contains(name);
}

// Operations without dimensions or other integral parameters that sum.
bool sums(const std::string& name) {
    static const std::set<std::string> sums = {
        "aten::mm",   "aten::bmm",     "aten::dot", "aten::mv",   "aten::vdot", "aten::addmm", "aten::addmv",
        "aten::addr", "aten::baddbmm", "aten::sum", "aten::mean", "aten::prod", "aten::norm",  "aten::dist"};
    return sums.contains(name);
}

// One rounding, of the exact result of the inputs as they are.
bool is_arithmetic(const std::string& name) {
    static const std::set<std::string> arithmetic = {"aten::add", "aten::sub",  "aten::mul",
                                                     "aten::div", "aten::rsub", "aten::sqrt"};
    return arithmetic.contains(name);
}

// A scalar, which may be integral as in x·2; not a dimension.
bool is_scalar(const c10::Argument& parameter) {
    c10::TypePtr type = parameter.type();
    if (type->kind() == c10::TypeKind::OptionalType) {
        type = type->expectRef<c10::OptionalType>().getElementType();
    }
    return type->kind() == c10::TypeKind::NumberType;
}

// By how many units in the last place an operation moves its inputs and its result.
struct Moves {
    double inputs = 0, result = 0;
};

Moves moves_of(const c10::FunctionSchema& schema, const std::vector<c10::IValue>& arguments) {
    bool may_sum = sums(schema.name());
    std::int64_t widest = 1;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const c10::IValue& argument = arguments[i];
        may_sum = may_sum || ((argument.isInt() || argument.isIntList()) && !is_scalar(schema.arguments()[i]));
        if (is_float(argument)) {
            for (const std::int64_t extent : argument.toTensor().sizes()) {
                widest = std::max(widest, extent);
            }
        }
    }
    const double units = may_sum ? std::max(1.0, std::sqrt(static_cast<double>(widest)) / 2) : 1;
    return {is_arithmetic(schema.name()) ? 0 : units, units};
}

// Results that are new memory.
bool is_new(const c10::Argument& result) {
    return result.alias_info() == nullptr;
}

// GELU by the operations of its formula. In its negative tail 1 + erf cancels, by an error that is the same for all
// inputs nearby, so that no movement of the inputs shows how large it may be.
at::Tensor gelu(const at::Tensor& x, const std::string& approximate) {
    const at::Tensor inner = approximate == "tanh"
                                 ? at::tanh((x + x * x * x * 0.044715) * std::sqrt(2 / std::acos(-1.0)))
                                 : at::erf(x * std::sqrt(0.5));
    return x * 0.5 * (inner + 1.0);
}

void run(const c10::OperatorHandle& operation, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
    if (operation.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd)) {  // made of others
        operation.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, kKey), stack);
        return;
    }
    if (operation.schema().name() == "aten::gelu" && is_float(stack->at(stack->size() - 2))) {
        const std::string approximate = stack->back().toStringRef();
        const at::Tensor x = stack->at(stack->size() - 2).toTensor();
        torch::jit::drop(*stack, 2);
        torch::jit::push(*stack, gelu(x, approximate));
        return;
    }
    const c10::impl::ExcludeDispatchKeyGuard once(kKey);
    const c10::FunctionSchema& schema = operation.schema();
    const auto arguments = stack->end() - static_cast<std::ptrdiff_t>(schema.arguments().size());
    const bool moves = std::any_of(arguments, stack->end(), is_float) &&
                       std::ranges::all_of(schema.returns(), is_new) && !is_exact(schema.name());
    const Moves units = moves ? moves_of(schema, {arguments, stack->end()}) : Moves();
    const auto move_from = [&](auto first, double by) {
        for (auto value = first; by > 0 && value != stack->end(); ++value) {
            if (is_float(*value)) {
                *value = moved(value->toTensor(), by);
            }
        }
    };
    move_from(arguments, units.inputs);
    operation.callBoxed(stack);
    move_from(stack->end() - static_cast<std::ptrdiff_t>(schema.returns().size()), units.result);
}

}  // namespace

RandomRounding::RandomRounding(std::uint64_t seed) : included_(kKey) {
    state = mixed(seed);
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>());
}

}  // namespace byhand
