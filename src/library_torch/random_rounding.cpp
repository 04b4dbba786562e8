#include "library_torch/random_rounding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <optional>
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

// How many units the inputs and the result of an operation that may sum may be off. None if it works element by
// element, which has no dimensions or other integral parameters.
std::optional<double> units_of_sum(const std::string& name, const std::vector<c10::IValue>& arguments) {
    bool has_numbers = sums(name);
    std::int64_t widest = 1;
    for (const c10::IValue& argument : arguments) {
        has_numbers = has_numbers || argument.isInt() || argument.isIntList();
        if (is_float(argument)) {
            for (const std::int64_t extent : argument.toTensor().sizes()) {
                widest = std::max(widest, extent);
            }
        }
    }
    if (!has_numbers) {
        return std::nullopt;
    }
    return std::max(1.0, std::sqrt(static_cast<double>(widest)) / 2);
}

// Results that are new memory.
bool is_new(const c10::Argument& result) {
    return result.alias_info() == nullptr;
}

void run(const c10::OperatorHandle& operation, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
    if (operation.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd)) {  // made of others
        operation.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, kKey), stack);
        return;
    }
    const c10::impl::ExcludeDispatchKeyGuard once(kKey);
    const c10::FunctionSchema& schema = operation.schema();
    const auto arguments = stack->end() - static_cast<std::ptrdiff_t>(schema.arguments().size());
    const bool moves = std::any_of(arguments, stack->end(), is_float) &&
                       std::ranges::all_of(schema.returns(), is_new) && !is_exact(schema.name());
    const std::optional<double> units = moves ? units_of_sum(schema.name(), {arguments, stack->end()}) : std::nullopt;
    const auto move_from = [&](auto first) {
        for (auto value = first; value != stack->end(); ++value) {
            if (is_float(*value)) {
                *value = moved(value->toTensor(), units.value_or(1));
            }
        }
    };
    if (units) {
        move_from(arguments);
    }
    operation.callBoxed(stack);
    if (moves) {
        move_from(stack->end() - static_cast<std::ptrdiff_t>(schema.returns().size()));
    }
}

}  // namespace

RandomRounding::RandomRounding(std::uint64_t seed) : included_(kKey) {
    state = mixed(seed);
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>());
}

}  // namespace byhand
