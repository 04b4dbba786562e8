// Checks of kernels: functions on arrays that you wrote, compared with a trusted implementation on inputs of many sizes
// and kinds.
//
//   byhand::Report report = byhand::check(byhand::kernel("softmax_backward", softmax_backward<float>),
//                                         byhand::is_vjp_of(softmax).shapes({{1, 1}, {7, 27}, {33, 100}}));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "byhand/named.h"
#include "byhand/reference.h"
#include "byhand/report.h"
#include "byhand/rounded.h"
#include "byhand/shape.h"
#include "byhand/view.h"

namespace byhand {

// A function of a kernel, on one type of numbers.
struct KernelFunction {
    std::optional<DType> type = {};  // of the results; none: Rounded
    std::vector<DType> inputs = {};  // what is not an integer is Rounded if the results are
    std::function<void(void* const* results, const void* const* inputs, const std::size_t* sizes)> run = {};
};

struct Kernel {
    Named named;
    std::size_t results = 0, inputs = 0, sizes = 0;  // of the parameters, in this order
    // One of each type. If there is one on Rounded, limits are derived from it.
    std::vector<KernelFunction> functions = {};

    // The function of that type, or nullptr.
    const KernelFunction* find(std::optional<DType> type) const;
};

namespace kernel_details {

enum class Role { result, input, size };

template <class P>
constexpr Role role_of() {
    static_assert(std::is_pointer_v<P> || std::is_integral_v<P>,
                  "a kernel's parameters are pointers to its results, pointers to constant inputs, and integral sizes; "
                  "bind others in a lambda");
    if constexpr (!std::is_pointer_v<P>) {
        return Role::size;
    } else {
        return std::is_const_v<std::remove_pointer_t<P>> ? Role::input : Role::result;
    }
}

template <class P>
using Element = std::remove_const_t<std::remove_pointer_t<P>>;

// Whether the parameter is a size, a result of type T, or an input: of type T, or, unless T is Rounded, of any known
// type.
template <class T, class P>
constexpr bool fits() {
    constexpr bool kIsKnown = dtype_for<Element<P>>.has_value();
    switch (role_of<P>()) {
        case Role::result:
            return std::is_same_v<Element<P>, T>;
        case Role::input:
            return std::is_same_v<Element<P>, T> || (kIsKnown && !std::is_same_v<T, Rounded>) ||
                   std::is_integral_v<Element<P>>;
        case Role::size:
            break;
    }
    return true;
}

// Whether all do, in the order of results, inputs, sizes.
template <class T, class... P>
constexpr bool all_fit() {
    const bool fit[] = {fits<T, P>()...};
    const Role roles[] = {role_of<P>()...};
    for (std::size_t i = 0; i < sizeof...(P); ++i) {
        if (!fit[i] || (i > 0 && roles[i] < roles[i - 1])) {
            return false;
        }
    }
    return true;
}

// How many of the parameters are results, and how many inputs.
struct Counts {
    std::size_t results, inputs;
};

template <class P>
P argument(std::size_t i, Counts counts, void* const* results, const void* const* inputs, const std::size_t* sizes) {
    if constexpr (role_of<P>() == Role::result) {
        return static_cast<P>(results[i]);
    } else if constexpr (role_of<P>() == Role::input) {
        return static_cast<P>(inputs[i - counts.results]);
    } else {
        return static_cast<P>(sizes[i - counts.results - counts.inputs]);
    }
}

// A function's parameters are those of std::function{function}.
template <class F>
concept HasSignature = std::is_class_v<decltype(std::function{std::declval<F>()})>;

template <class... P, std::size_t... I>
auto bound(std::function<void(P...)> function, Counts counts, std::index_sequence<I...> /*all*/) {
    return [=](void* const* results, const void* const* inputs, const std::size_t* sizes) {
        function(argument<P>(I, counts, results, inputs, sizes)...);
    };
}

// Adds a function. Throws std::invalid_argument if there is one of its type, or one with other parameters.
void add(Kernel& kernel, KernelFunction function, Counts counts, std::size_t sizes);

template <class R, class First, class... P>
void add(Kernel& kernel, std::function<R(First, P...)> function) {
    using T = std::remove_pointer_t<First>;
    static_assert(std::is_void_v<R>, "a kernel returns nothing: it writes its results");
    static_assert(std::is_same_v<T, Rounded> || (dtype_for<T> && !std::is_integral_v<T>),
                  "a kernel's first result is a float*, a double*, a Rounded*, or of a type with a dtype_for");
    static_assert(
        all_fit<T, First, P...>(),
        "a kernel's parameters are first its results (T*), then its inputs (const T*, or pointers to constant "
        "integers or numbers of another type), then sizes");
    KernelFunction made;
    if constexpr (!std::is_same_v<T, Rounded>) {
        made.type = dtype_for<T>;
    }
    const Role roles[] = {role_of<First>(), role_of<P>()...};
    const std::optional<DType> types[] = {dtype_for<Element<First>>, dtype_for<Element<P>>...};
    Counts counts{};
    std::size_t sizes = 0;
    for (std::size_t i = 0; i < std::size(roles); ++i) {
        counts.results += roles[i] == Role::result ? 1 : 0;
        sizes += roles[i] == Role::size ? 1 : 0;
        if (roles[i] == Role::input) {
            made.inputs.push_back(types[i].value_or(DType::float32));
        }
    }
    counts.inputs = made.inputs.size();
    if (function) {
        made.run = bound(std::move(function), counts, std::index_sequence_for<First, P...>());
    }
    add(kernel, std::move(made), counts, sizes);
}

}  // namespace kernel_details

// A kernel by its functions: in float, in double, on Rounded, in a type of 16 bits, or several of them (a template's
// instances). Their parameters are the results, the inputs, and the sizes, which are any number of integers.
template <class... Functions>
Kernel kernel(const Named& named, Functions... functions) {
    constexpr bool kHaveSignatures = std::conjunction_v<std::bool_constant<kernel_details::HasSignature<Functions>>...>;
    static_assert(kHaveSignatures, "a kernel is a function, or a lambda whose parameters have types (not auto)");
    Kernel made{.named = named};
    (kernel_details::add(made, std::function{functions}), ...);
    return made;
}

// What a kernel should compute, and the inputs on which it is checked (byhand/torch.h makes it from a function on
// tensors). It can be used as a matcher of Catch2.
class Expected {
public:
    enum class What { value, gradients };

    // `evaluate` returns the value "y" of its inputs; if `what` is gradients and "dy" is among the inputs, also "d" and
    // the name for each input that has numbers.
    Expected(Evaluate evaluate, std::size_t inputs, What what);

    // The inputs of which the kernel computes the gradients, by position, in the order of its results. By default the
    // first.
    Expected& wrt(std::vector<std::size_t> inputs);
    Expected& wrt(std::size_t input) { return wrt(std::vector{input}); }
    // The shapes of the first input to check, the others having the same; or of all inputs.
    Expected& shapes(const std::vector<Shape>& of_first);
    Expected& shapes_of_all(std::vector<std::vector<Shape>> cases);
    // Whether the check also tries shapes beside these: of each extent, one less, one more, 1, 2, a multiple of 64, one
    // more than that, and one of thousands, where sizes() and the reference accept it and the work is small. By default
    // it does.
    Expected& and_neighbours(bool tries = true) { return set(neighbours_, tries); }
    // Names for reports, instead of x, or x0, x1 … The gradient of the value is dy.
    Expected& inputs(std::vector<std::string> names);
    // What the kernel reads, by name, in the order of its parameters: inputs, "dy", "y", and what with() adds. By
    // default dy, if gradients are computed, and then the inputs.
    Expected& reads(std::vector<std::string> names) { return set(reads_, std::move(names)); }
    // A value that the kernel reads, computed from the inputs: a mean that the forward pass has saved.
    Expected& with(std::string name, Evaluate evaluate);
    // An input only has numbers from `low` to `high`; or it has integers (a class, a quantized weight) from `low` to
    // `high`, which the reference is given as int64.
    Expected& range(const std::string& name, double low, double high);
    Expected& integers(const std::string& name, std::int64_t low, std::int64_t high);
    // The kernel has no parameter for this input: the array of its first result holds it at the call.
    Expected& in_place(std::string input) { return set(in_place_, std::move(input)); }
    // The first result may have the array of this input. The kernel is called in both ways.
    Expected& may_alias(std::string input) { return set(may_alias_, std::move(input)); }
    // The sizes that the kernel is given, from the shapes of the inputs. By default the extents of the first input.
    using Sizes = std::function<std::vector<std::size_t>(const std::vector<Shape>& inputs)>;
    Expected& sizes(Sizes sizes) { return set(sizes_, std::move(sizes)); }
    // Where the right value is NaN or infinite, the kernel may have any. By default it must be of the same class (NaN,
    // ∞ or −∞), where that follows from moderate inputs by rule, as 0/0 does.
    Expected& where_finite() { return set(compares_non_finite_, false); }
    // Accept an error of 10^-digits times the largest number among the inputs, the right values and 1, in double 2^-29
    // of that: of a computation that is right, but less accurate than the reference (a sigmoid by tanh near 0).
    Expected& accurate_to(double digits);
    // The time limit, by default 10 s: of all calls in float and in types of 16 bits together, of all in double, and
    // again of the 256 in a row and of those from two threads. There is none in this process.
    Expected& timeout(std::chrono::milliseconds limit) { return set(timeout_, limit); }
    // Without a subprocess: for a kernel that uses OpenMP, which does not work after a fork if the program has used it
    // before. It must return or throw, only writes next to its result are detected, and no call is repeated.
    Expected& in_this_process() { return set(subprocess_, false); }
    // Also call the kernel from two threads at once, which must give the same results.
    Expected& from_two_threads() { return set(two_threads_, true); }
    Expected& seed(std::uint64_t seed) { return set(seed_, seed); }

    // Whether check(kernel, *this).agrees(), and what that says.
    bool match(const Kernel& kernel) const;
    std::string toString() const { return text_; }

private:
    friend Report check(const Kernel& kernel, const Expected& expected);
    friend class KernelCheck;

    template <class T>
    Expected& set(T& option, T value) {
        option = std::move(value);
        return *this;
    }

    Evaluate evaluate_;
    What what_;
    std::vector<std::size_t> wrt_ = {0};
    std::vector<std::string> inputs_, reads_;
    std::vector<std::vector<Shape>> cases_;
    std::vector<std::pair<std::string, Evaluate>> with_;
    std::map<std::string, std::pair<double, double>> ranges_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> integers_;
    Sizes sizes_;
    std::string in_place_, may_alias_;
    double share_ = 0;  // of the largest number, or of 1, that an error may be
    std::chrono::milliseconds timeout_{10000};
    bool subprocess_ = true, two_threads_ = false, compares_non_finite_ = true, neighbours_ = true;
    std::uint64_t seed_ = 1;
    mutable std::string text_;
};

// Runs the kernel in a subprocess: on random values, on values and differences of every binary exponent from -40 to 40,
// on values close to each other, on lines along every axis that are all negative, equal, one-hot or have ties, on
// special values, and where the reference jumps or bends, in every shape; and compares each element with the right one.
// Every call is made twice, at other addresses, between inaccessible pages. Detected and named are therefore also
// accesses outside of the operands, elements that are not written, inputs that are changed, results that depend on
// earlier contents or calls, on their number or on the calling thread, exceptions, crashes, and functions that do not
// return. Throws std::invalid_argument if the kernel's parameters do not fit what is expected.
Report check(const Kernel& kernel, const Expected& expected);

}  // namespace byhand
