#include "library_torch/random_rounding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/mixed.h"
#include "library_torch/composed.h"
#include "library_torch/ordered_sums.h"

namespace byhand {
namespace {

// The dispatch key whose handlers see an operation before all others. LibTorch has it for such modes.
constexpr c10::DispatchKey kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

// Of the evaluation that runs.
struct Rounding {
    std::uint64_t state = 0;  // of the random numbers
    bool moves = true;        // false: as LibTorch rounds
    bool only_copies = true;
    std::size_t work = 0;
    Formulation formulation = Formulation::one_operation;
    Order order = Order::as_torch;
};
thread_local Rounding rounding;

bool is_float(const c10::IValue& value) {
    return value.isTensor() && value.toTensor().defined() && value.toTensor().scalar_type() == at::kFloat;
}

// Calls visit(i, factor) for each i below `count`, with 1 plus or minus `units` units in the last place at random.
template <class Visit>
void for_each_factor(std::size_t count, double units, Visit visit) {
    const auto up = static_cast<float>(1 + units * 0x1p-23), down = static_cast<float>(1 - units * 0x1p-23);
    for (std::size_t from = 0; from < count; from += 64) {
        const std::uint64_t bits = mixed(++rounding.state);
        for (std::size_t i = from; i < std::min(from + 64, count); ++i) {
            visit(i, (bits >> (i - from) & 1) == 0 ? up : down);
        }
    }
}

// The tensor, each element moved up or down by `units` units in the last place.
at::Tensor moved(const at::Tensor& tensor, double units) {
    const at::Tensor factors = at::empty(tensor.sizes(), tensor.options().requires_grad(false));
    auto* const all = factors.data_ptr<float>();
    for_each_factor(static_cast<std::size_t>(factors.numel()), units, [&](std::size_t i, float by) { all[i] = by; });
    return tensor * factors;
}

// The same in its memory, unnoticed by autograd. What is subnormal, or may be where products are grouped in another
// way, is also moved by the distance of subnormal numbers.
void move_in_place(const at::Tensor& tensor, double units) {
    const at::Tensor data = tensor.variable_data();
    if (!data.is_non_overlapping_and_dense()) {
        data.copy_(moved(data, units));
        return;
    }
    constexpr float kSmall = 1024 * std::numeric_limits<float>::min();
    constexpr float kSpacing = std::numeric_limits<float>::denorm_min();
    auto* const all = data.data_ptr<float>();
    for_each_factor(static_cast<std::size_t>(data.numel()), units, [&](std::size_t i, float by) {
        const float x = all[i];
        const float off = std::abs(x) < kSmall && x != 0 ? (by > 1 ? kSpacing : -kSpacing) : 0;
        all[i] = x * by + off;
    });
}

// Those whose results are numbers of their inputs, at other places.
bool copies(const std::string& name) {
    static const std::set<std::string> copies = {
        "cat",          "clone",  "contiguous", "constant_pad_nd", "copy", "flip",     "gather", "embedding", "index",
        "index_select", "repeat", "roll",       "stack",           "to",   "_to_copy", "where"};
    return copies.contains(name);
}

// Copies and choices of elements, which round nothing. Operations in place have the name without its underscore.
bool is_exact(const std::string& name) {
    static const std::set<std::string> choices = {"abs",
                                                  "amax",
                                                  "amin",
                                                  "ceil",
                                                  "clamp",
                                                  "clamp_max",
                                                  "clamp_min",
                                                  "cummax",
                                                  "cummin",
                                                  "fill",
                                                  "floor",
                                                  "hardtanh",
                                                  "hardtanh_backward",
                                                  "index_copy",
                                                  "index_put",
                                                  "masked_fill",
                                                  "masked_scatter",
                                                  "masked_select",
                                                  "max",
                                                  "max_pool2d_with_indices",
                                                  "maximum",
                                                  "min",
                                                  "minimum",
                                                  "nan_to_num",
                                                  "narrow_copy",
                                                  "neg",
                                                  "relu",
                                                  "round",
                                                  "scatter",
                                                  "select_backward",
                                                  "sgn",
                                                  "sign",
                                                  "slice_backward",
                                                  "sort",
                                                  "threshold",
                                                  "threshold_backward",
                                                  "topk",
                                                  "tril",
                                                  "triu",
                                                  "trunc",
                                                  "zero"};
    return copies(name) || choices.contains(name);
}

// Operations without dimensions or other integral parameters that sum.
bool sums(const std::string& name) {
    static const std::set<std::string> sums = {"mm",    "bmm",   "dot",  "mv",      "vdot",
                                               "addmm", "addmv", "addr", "baddbmm", "sum",
                                               "mean",  "prod",  "norm", "dist",    "convolution_backward"};
    return sums.contains(name);
}

// One rounding, of the exact result of the inputs as they are.
bool is_arithmetic(const std::string& name) {
    static const std::set<std::string> arithmetic = {"add", "sub", "mul", "div", "rsub", "sqrt"};
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

// "add" of aten::add_
std::string name_of(const c10::FunctionSchema& schema) {
    std::string name = schema.name().substr(schema.name().find("::") + 2);
    if (name.ends_with('_') && name != "_") {
        name.pop_back();
    }
    return name;
}

// The number of elements of the first tensor that are reduced to one by the dimensions of the argument `dim`: all if it
// has none. 1 if there is no such argument.
std::int64_t reduced(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const auto dim = schema.argumentIndexWithName("dim");
    if (!dim || arguments.empty() || !is_float(arguments[0])) {
        return 1;
    }
    const at::Tensor x = arguments[0].toTensor();
    const c10::IValue& dims = arguments[static_cast<std::size_t>(*dim)];
    if (dims.isNone() || (dims.isIntList() && dims.toIntVector().empty())) {
        return x.numel();
    }
    std::int64_t terms = 1;
    if (dims.isIntList() && x.dim() > 0) {
        for (const std::int64_t d : dims.toIntVector()) {
            terms *= x.size(d);
        }
    }
    return terms;
}

// The most numbers that the operation adds up to one.
std::int64_t terms_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const std::string name = name_of(schema);
    std::int64_t most = reduced(schema, arguments);
    for (const c10::IValue& argument : arguments) {
        if (is_float(argument)) {
            const at::Tensor x = argument.toTensor();
            for (const std::int64_t extent : x.sizes()) {
                most = std::max(most, extent);
            }
            const bool is_whole = (name == "sum" || name == "mean" || name == "norm" || name == "prod") &&
                                  !schema.argumentIndexWithName("dim");
            if (is_whole || name == "dist") {
                most = std::max(most, x.numel());
            } else if (name.starts_with("convolution") || name.find("norm") != std::string::npos) {
                // Channels times the kernel's elements, or rows times positions.
                const std::int64_t channels =
                    x.dim() > 1 ? std::max<std::int64_t>(1, std::min(x.size(0), x.size(1))) : 1;
                most = std::max(most, x.numel() / channels);
            }
        }
    }
    return most;
}

// The shape from which an interpolation takes its numbers; empty if the operation is none.
std::vector<std::int64_t> interpolated(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const auto input_size = schema.argumentIndexWithName("input_size");
    return !schema.name().starts_with("aten::upsample_") ? std::vector<std::int64_t>()
           : input_size ? arguments[static_cast<std::size_t>(*input_size)].toIntVector()
                        : arguments[0].toTensor().sizes().vec();
}

// An interpolation computes its weights from the ratio of the sizes, in float or in double: the ratio is moved, which
// interpolations take as an argument.
void move_scales(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments, bool up) {
    const std::vector<std::int64_t> from = interpolated(schema, arguments);
    const auto output_size = schema.argumentIndexWithName("output_size");
    if (from.empty() || !output_size) {
        return;
    }
    const std::vector<std::int64_t> to = arguments[static_cast<std::size_t>(*output_size)].toIntVector();
    std::size_t axis = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (schema.arguments()[i].name().starts_with("scales") && axis < to.size() && axis + 2 < from.size()) {
            const double ratio = arguments[i].isDouble()
                                     ? arguments[i].toDouble()
                                     : static_cast<double>(to[axis]) / static_cast<double>(from[axis + 2]);
            arguments[i] = ratio * (1 + (up ? 0x1p-22 : -0x1p-22));
            ++axis;
        }
    }
}

Moves moves_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const std::string name = name_of(schema);
    bool may_sum = sums(name);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const c10::IValue& argument = arguments[i];
        may_sum = may_sum || ((argument.isInt() || argument.isIntList()) && !is_scalar(schema.arguments()[i]));
    }
    double units = may_sum ? std::max(1.0, std::sqrt(static_cast<double>(terms_of(schema, arguments))) / 2) : 1;
    const std::vector<std::int64_t> from = interpolated(schema, arguments);
    for (std::size_t axis = 2; axis < from.size(); ++axis) {  // a weight is the fraction of a place on this axis
        units = std::max(units, static_cast<double>(from[axis]) / 2);
    }
    return {is_arithmetic(name) ? 0 : units, units};
}

// Results that are new memory.
bool is_new(const c10::Argument& result) {
    return result.alias_info() == nullptr;
}

// Whether the operation has returned the memory of an argument, as some do with nothing to compute.
bool is_among(const at::Tensor& result, const std::vector<c10::IValue>& arguments) {
    return std::ranges::any_of(arguments, [&](const c10::IValue& argument) {
        return is_float(argument) && argument.toTensor().is_alias_of(result);
    });
}

// Not a view.
bool is_computed(const c10::Argument& result) {
    return is_new(result) || result.alias_info()->isWrite();
}

void run(const c10::OperatorHandle& operation, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
    if (operation.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd)) {  // made of others
        operation.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, kKey), stack);
        return;
    }
    const c10::FunctionSchema& schema = operation.schema();
    const std::string name = name_of(schema);
    const auto arguments = stack->end() - static_cast<std::ptrdiff_t>(schema.arguments().size());
    const std::vector<c10::IValue> given(arguments, stack->end());
    if (rounding.moves) {
        if (const auto composed = composed_of(name, given, rounding.formulation)) {
            rounding.only_copies = false;
            torch::jit::drop(*stack, given.size());
            stack->insert(stack->end(), composed->begin(), composed->end());
            return;
        }
    }
    if (std::ranges::any_of(given, is_float) && std::ranges::any_of(schema.returns(), is_computed) && !copies(name)) {
        rounding.only_copies = false;
    }
    const c10::impl::ExcludeDispatchKeyGuard once(kKey);
    const bool moves = rounding.moves && std::ranges::any_of(given, is_float) && !is_exact(name);
    const Moves units = moves ? moves_of(schema, given) : Moves();
    if (moves) {
        std::vector<c10::IValue> changed = given;
        move_scales(schema, changed, rounding.state % 2 == 0);
        std::ranges::copy(changed, arguments);
    }
    if (units.inputs > 0 && std::ranges::all_of(schema.returns(), is_new)) {
        std::for_each(arguments, stack->end(), [&](c10::IValue& value) {
            if (is_float(value)) {
                value = moved(value.toTensor(), units.inputs);
            }
        });
    }
    operation.callBoxed(stack);
    const auto results = stack->end() - static_cast<std::ptrdiff_t>(schema.returns().size());
    for (std::size_t i = 0; i < schema.returns().size(); ++i) {
        const c10::IValue& result = results[static_cast<std::ptrdiff_t>(i)];
        if (is_float(result) && is_computed(schema.returns()[i])) {
            rounding.work += static_cast<std::size_t>(result.toTensor().numel());
        }
    }
    for (std::size_t i = 0; moves && i < schema.returns().size(); ++i) {
        c10::IValue& result = results[static_cast<std::ptrdiff_t>(i)];
        if (!is_float(result) || !is_computed(schema.returns()[i])) {
            continue;
        }
        if (is_new(schema.returns()[i]) && is_among(result.toTensor(), given)) {
            result = moved(result.toTensor(), units.result);
            continue;
        }
        if (const auto sum = sum_in_order(schema, name, given, rounding.order, result.toTensor())) {
            result.toTensor().variable_data().copy_(*sum);
        }
        move_in_place(result.toTensor(), units.result);
    }
}

}  // namespace

RandomRounding::RandomRounding(std::uint64_t seed) : included_(kKey) {
    rounding.state = mixed(seed);
    rounding.moves = seed != 0;
    rounding.only_copies = true;
    rounding.work = 0;
    rounding.formulation = static_cast<Formulation>(seed % kFormulations);
    rounding.order = static_cast<Order>(seed / kFormulations % kOrders);
}

bool RandomRounding::only_copies() const {
    return rounding.only_copies;
}

std::size_t RandomRounding::work() const {
    return rounding.work;
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>());
}

}  // namespace byhand
