#include "library/torch/random_rounding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "library/torch/moves.h"

namespace byhand {
namespace {

// The dispatch key whose handlers see an operation before all others. LibTorch has it for such modes.
constexpr c10::DispatchKey kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

// Of the evaluation that runs.
struct Rounding {
    std::uint64_t state = 0;  // of the random numbers
    bool scales_grow = true;  // the scales that an interpolation takes as arguments; false: they shrink
    bool moves = true;        // false: as LibTorch rounds
    at::ScalarType type = at::kFloat;
    bool only_copies = true, rounds = false;
    std::size_t work = 0;
    Formulation formulation = Formulation::one_operation;
    Order order = Order::as_torch;
    SumsInPlace sums_in_place;
};
thread_local Rounding rounding;

// Whether it has numbers of the type in which the evaluation computes.
bool has_numbers(const c10::IValue& value) {
    return value.isTensor() && value.toTensor().defined() && value.toTensor().scalar_type() == rounding.type;
}

// Calls f(t) with a T: a float or a double.
template <class F>
void in_type(F f) {
    rounding.type == at::kDouble ? f(double()) : f(float());
}

// Calls visit(i, factor) for each i below `count`, with 1 plus or minus `units` units in the last place at random.
template <class T, class Visit>
void for_each_factor(std::size_t count, double units, Visit visit) {
    const double by = units * std::numeric_limits<T>::epsilon();
    const auto up = static_cast<T>(1 + by), down = static_cast<T>(1 - by);
    for (std::size_t from = 0; from < count; from += 64) {
        const std::uint64_t bits = mixed(++rounding.state);
        for (std::size_t i = from; i < std::min(from + 64, count); ++i) {
            visit(i, (bits >> (i - from) & 1) == 0 ? up : down);
        }
    }
}

// Numbers below it are subnormal, or may be where products are grouped in another way.
template <class T>
constexpr T kSmall = 1024 * std::numeric_limits<T>::min();

template <class T>
bool is_tiny(T x) {
    return x != 0 && std::abs(x) < kSmall<T>;
}

// Calls f(begin, end) with the elements of the tensor, if these are floats or doubles.
void with_elements(const at::Tensor& tensor, const auto& f) {
    const auto size = static_cast<std::size_t>(tensor.numel());
    if (tensor.scalar_type() == at::kFloat) {
        f(std::span(tensor.data_ptr<float>(), size));
    } else if (tensor.scalar_type() == at::kDouble) {
        f(std::span(tensor.data_ptr<double>(), size));
    }
}

// The tensor, each element moved up or down by `units` units in the last place.
at::Tensor moved(const at::Tensor& tensor, double units) {
    const at::Tensor factors = at::empty(tensor.sizes(), tensor.options().requires_grad(false));
    in_type([&]<class T>(T /*type*/) {
        auto* const all = factors.data_ptr<T>();
        for_each_factor<T>(static_cast<std::size_t>(factors.numel()), units, [&](std::size_t i, T by) { all[i] = by; });
    });
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
    in_type([&]<class T>(T /*type*/) {
        constexpr T kSpacing = std::numeric_limits<T>::denorm_min();
        auto* const all = data.data_ptr<T>();
        for_each_factor<T>(static_cast<std::size_t>(data.numel()), units, [&](std::size_t i, T by) {
            const T x = all[i];
            const T off = is_tiny(x) ? (by > 1 ? kSpacing : -kSpacing) : 0;
            all[i] = x * by + off;
        });
    });
}

// The rounding of a sum in place, whose positive and negative terms are added up apart: half a unit of what has been
// added.
void move_sum_in_place(const at::Tensor& result) {
    if (const at::Tensor all = rounding.sums_in_place.magnitudes(result); all.defined()) {
        result.variable_data().add_((moved(all, 1) - all) / 2);
    }
    rounding.sums_in_place.leave(result);
}

// Whether the operation subtracts from the elements of lines their mean, and not one of them, such as their maximum.
// Where the elements are close to each other, what remains is about the rounding of the mean, which the derivative of
// the reference may make up for; that in closed form doesn't.
bool subtracts_mean(const std::string& name, const std::vector<c10::IValue>& given) {
    if (name != "sub" || !has_numbers(given[0]) || !has_numbers(given[1])) {
        return false;
    }
    const at::Tensor x = given[0].toTensor().detach(), of_line = given[1].toTensor().detach();
    if (of_line.numel() == 0 || of_line.numel() >= x.numel() || x.numel() % of_line.numel() != 0) {
        return false;
    }
    const auto n = static_cast<double>(x.numel() / of_line.numel());
    const double epsilon = rounding.type == at::kDouble ? 0x1p-52 : 0x1p-23;
    const auto mean_of = [&](const at::Tensor& of) { return of.sum_to_size(of_line.sizes()) / n; };
    const at::Tensor is_near = (mean_of(x) - of_line).abs().le(mean_of(x.abs()) * (16 * std::sqrt(n) * epsilon));
    return is_near.all().item<bool>() && !mean_of(x.eq(of_line).to(x.scalar_type())).gt(0).all().item<bool>();
}

// Results that are new memory.
bool is_new(const c10::Argument& result) {
    return result.alias_info() == nullptr;
}

// Whether the operation has returned the memory of an argument, as some do with nothing to compute.
bool is_among(const at::Tensor& result, const std::vector<c10::IValue>& arguments) {
    return std::ranges::any_of(arguments, [&](const c10::IValue& argument) {
        return has_numbers(argument) && argument.toTensor().is_alias_of(result);
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
    if (rounding.moves && !given.empty() && has_numbers(given[0])) {
        if (const auto composed = composed_of(name, given, rounding.formulation)) {
            rounding.only_copies = false;
            rounding.rounds = true;
            torch::jit::drop(*stack, given.size());
            stack->insert(stack->end(), composed->begin(), composed->end());
            return;
        }
    }
    if (std::ranges::any_of(given, has_numbers) && std::ranges::any_of(schema.returns(), is_computed) &&
        !copies(name)) {
        rounding.only_copies = false;
    }
    const c10::impl::ExcludeDispatchKeyGuard once(kKey);
    const bool moves = rounding.moves && std::ranges::any_of(given, has_numbers) && !is_exact(name);
    Moves units = moves ? moves_of(schema, given) : Moves();
    rounding.rounds = rounding.rounds || (moves && std::ranges::any_of(schema.returns(), is_computed));
    if (moves && rounding.formulation == Formulation::closed_form && subtracts_mean(name, given)) {
        units.inputs = 1;
    }
    if (moves) {
        std::vector<c10::IValue> changed = given;
        const double by = 2 * (rounding.type == at::kDouble ? 0x1p-52 : 0x1p-23);
        move_scales(schema, changed, rounding.scales_grow ? by : -by);
        std::ranges::copy(changed, arguments);
    }
    if (units.inputs > 0 && std::ranges::all_of(schema.returns(), is_new)) {
        std::for_each(arguments, stack->end(), [&](c10::IValue& value) {
            if (has_numbers(value)) {
                value = moved(value.toTensor(), units.inputs);
            }
        });
    }
    const bool adds_in_place = moves && rounding.order == Order::signs_apart && schema.returns().size() == 1 &&
                               !is_new(schema.returns()[0]) && is_computed(schema.returns()[0]);
    if (adds_in_place) {
        rounding.sums_in_place.note(name, given);
    }
    operation.callBoxed(stack);
    const auto results = stack->end() - static_cast<std::ptrdiff_t>(schema.returns().size());
    for (std::size_t i = 0; i < schema.returns().size(); ++i) {
        const c10::IValue& result = results[static_cast<std::ptrdiff_t>(i)];
        if (has_numbers(result) && is_computed(schema.returns()[i])) {
            rounding.work += static_cast<std::size_t>(result.toTensor().numel());
        }
    }
    for (std::size_t i = 0; moves && i < schema.returns().size(); ++i) {
        c10::IValue& result = results[static_cast<std::ptrdiff_t>(i)];
        if (!has_numbers(result) || !is_computed(schema.returns()[i])) {
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
        if (adds_in_place) {
            move_sum_in_place(result.toTensor());
        }
    }
}

}  // namespace

bool has_tiny_numbers(const at::Tensor& tensor) {
    bool has = false;
    with_elements(tensor.detach().contiguous(),
                  [&](auto all) { has = std::ranges::any_of(all, [](auto x) { return is_tiny(x); }); });
    return has;
}

at::Tensor with_tiny_numbers_moved(const at::Tensor& tensor, std::uint64_t seed) {
    at::Tensor moved = tensor.detach().contiguous().clone();
    std::uint64_t state = mixed(seed);
    with_elements(moved, [&](auto all) {
        for (auto& x : all) {
            x = is_tiny(x) ? x * ((state = mixed(state + 1)) % 2 == 0 ? 1.5F : 0.5F) : x;
        }
    });
    return moved;
}

RandomRounding::RandomRounding(Precision precision, const void* of) : included_(kKey) {
    const auto [type, seed] = precision;
    rounding = {.state = mixed(seed),
                .scales_grow = std::popcount(seed) % 2 == 0,  // in half of any few evaluations
                .moves = seed != 0,
                .type = type == DType::float64 ? at::kDouble : at::kFloat,
                .formulation = static_cast<Formulation>(seed % kFormulations),
                .order = static_cast<Order>(seed / kFormulations % kOrders),
                .sums_in_place = {}};
    begin_evaluation(of, rounding.type, seed <= 1);
}

void RandomRounding::describe(Computed& result) const {
    result.copied = rounding.only_copies;
    result.exact = !rounding.rounds;
    result.work = rounding.work;
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>());
}

}  // namespace byhand
