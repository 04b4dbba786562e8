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
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "byhand/named.h"
#include "byhand/reference.h"
#include "byhand/report.h"
#include "byhand/rounded.h"
#include "byhand/shape.h"

namespace byhand {

// A kernel on numbers of type T: its results, its inputs (T or integers) and the sizes.
template <class T>
using KernelFunction = std::function<void(T* const* results, const void* const* inputs, const std::size_t* sizes)>;

struct Kernel {
    Named named;
    // Of the parameters, in their order.
    std::size_t results = 0;
    std::vector<std::size_t> integers = {};  // for each input the bytes of an integer; 0: it has numbers of type T
    std::size_t sizes = 0;
    // Empty if there is no function on this type. If there is one on Rounded, limits are derived from it.
    KernelFunction<float> in_float = {};
    KernelFunction<double> in_double = {};
    KernelFunction<Rounded> rounded = {};
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

// Of an input: the bytes of an integer, or 0.
template <class P>
constexpr std::size_t integer_of() {
    using Element = std::remove_const_t<std::remove_pointer_t<P>>;
    return std::is_integral_v<Element> ? sizeof(Element) : 0;
}

// Whether a parameter is a size, an input of integers, or a pointer to T.
template <class T, class P>
constexpr bool fits() {
    constexpr bool kIsIntegers = role_of<P>() == Role::input && integer_of<P>() > 0;
    return role_of<P>() == Role::size || kIsIntegers ||
           std::is_same_v<std::remove_const_t<std::remove_pointer_t<P>>, T>;
}

// Whether all are, in the order of results, inputs, sizes.
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

template <class P, class T>
P argument(std::size_t i, const Kernel& kernel, T* const* results, const void* const* inputs,
           const std::size_t* sizes) {
    if constexpr (role_of<P>() == Role::result) {
        return results[i];
    } else if constexpr (role_of<P>() == Role::input) {
        return static_cast<P>(inputs[i - kernel.results]);
    } else {
        return static_cast<P>(sizes[i - kernel.results - kernel.integers.size()]);
    }
}

template <class T>
KernelFunction<T>& function_of(Kernel& kernel) {
    if constexpr (std::is_same_v<T, float>) {
        return kernel.in_float;
    } else if constexpr (std::is_same_v<T, double>) {
        return kernel.in_double;
    } else {
        static_assert(std::is_same_v<T, Rounded>, "a kernel's first result is a float*, a double* or a Rounded*");
        return kernel.rounded;
    }
}

// A function's parameters are those of std::function{function}.
template <class F>
concept HasSignature = std::is_class_v<decltype(std::function{std::declval<F>()})>;

template <class T, class... P, std::size_t... I>
KernelFunction<T> bound(std::function<void(P...)> function, const Kernel& kernel, std::index_sequence<I...> /*all*/) {
    // Only which parameters there are: the kernel may be moved.
    const Kernel counts{.named = kernel.named, .results = kernel.results, .integers = kernel.integers};
    return [=](T* const* results, const void* const* inputs, const std::size_t* sizes) {
        function(argument<P>(I, counts, results, inputs, sizes)...);
    };
}

template <class R, class First, class... P>
void add(Kernel& kernel, std::function<R(First, P...)> function) {
    using T = std::remove_pointer_t<First>;
    static_assert(std::is_void_v<R>, "a kernel returns nothing: it writes its results");
    static_assert(
        all_fit<T, First, P...>(),
        "a kernel's parameters are first its results (T*), then its inputs (const T*, or pointers to constant "
        "integers), then sizes");
    if (function_of<T>(kernel) || !function) {
        throw std::invalid_argument(kernel.named.name + " (" + place_of(kernel.named) + ") has " +
                                    (function ? "two functions of one type" : "a null function"));
    }
    kernel.results = kernel.sizes = 0;
    kernel.integers.clear();
    const Role roles[] = {role_of<First>(), role_of<P>()...};
    const std::size_t integers[] = {integer_of<First>(), integer_of<P>()...};
    for (std::size_t i = 0; i < std::size(roles); ++i) {
        kernel.results += roles[i] == Role::result ? 1 : 0;
        kernel.sizes += roles[i] == Role::size ? 1 : 0;
        if (roles[i] == Role::input) {
            kernel.integers.push_back(integers[i]);
        }
    }
    function_of<T>(kernel) = bound<T>(std::move(function), kernel, std::index_sequence_for<First, P...>());
}

}  // namespace kernel_details

// A kernel by its functions: in float, in double, on Rounded, or several of them (a template's instances). Their
// parameters are the results, the inputs, and the sizes, which are any number of integers.
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
    // Names for reports, instead of x, or x0, x1 … The gradient of the value is dy.
    Expected& inputs(std::vector<std::string> names);
    // What the kernel reads, by name, in the order of its parameters: inputs, "dy", "y", and what with() adds. By
    // default dy, if gradients are computed, and then the inputs.
    Expected& reads(std::vector<std::string> names);
    // A value that the kernel reads, computed from the inputs: a mean that the forward pass has saved.
    Expected& with(std::string name, Evaluate evaluate);
    // An input only has numbers from `low` to `high`; or it has integers (a class, a quantized weight) from `low` to
    // `high`, which the reference is given as int64.
    Expected& range(const std::string& name, double low, double high);
    Expected& integers(const std::string& name, std::int64_t low, std::int64_t high);
    // The sizes that the kernel is given, from the shapes of the inputs. By default the extents of the first input.
    Expected& sizes(std::function<std::vector<std::size_t>(const std::vector<Shape>& inputs)> sizes);
    // The time limit of all calls in one type; by default 10 s.
    Expected& timeout(std::chrono::milliseconds limit);
    // Without a subprocess: for a kernel that uses OpenMP, which does not work after a fork if the program has used it
    // before. It must return or throw, and only writes next to its result are detected.
    Expected& in_this_process();
    Expected& seed(std::uint64_t seed);

    // Whether check(kernel, *this).agrees(), and what that says.
    bool match(const Kernel& kernel) const;
    std::string toString() const { return text_; }

private:
    friend Report check(const Kernel& kernel, const Expected& expected);
    friend class KernelCheck;

    Evaluate evaluate_;
    What what_;
    std::vector<std::size_t> wrt_ = {0};
    std::vector<std::string> inputs_, reads_;
    std::vector<std::vector<Shape>> cases_;
    std::vector<std::pair<std::string, Evaluate>> with_;
    std::map<std::string, std::pair<double, double>> ranges_;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> integers_;
    std::function<std::vector<std::size_t>(const std::vector<Shape>& inputs)> sizes_;
    std::chrono::milliseconds timeout_{10000};
    bool subprocess_ = true;
    std::uint64_t seed_ = 1;
    mutable std::string text_;
};

// Runs the kernel in a subprocess: on random values, on small and large ones, on values close to each other, on rows
// and columns all negative, equal, one-hot and with ties, and on special values, in every shape; and compares each
// element with the right one. Every call is made twice, at other addresses, between inaccessible pages. Detected and
// named are therefore also accesses outside of the operands, elements that are not written, inputs that are changed,
// results that depend on earlier contents or calls, exceptions, crashes, and functions that do not return. Throws
// std::invalid_argument if the kernel's parameters do not fit what is expected.
Report check(const Kernel& kernel, const Expected& expected);

}  // namespace byhand
