// The interface between external functions and byhand: functions are registered under the names of their results.
#pragma once

#include <cstddef>

#include "exercise/tensor.h"

namespace byhand::exercise {

// The parameters of batch norm's formulas other than tensors: ε, the variance's divisor, n or n − 1, and whether ε is
// inside the root, √(variance + ε), or outside, √variance + ε.
struct Norm {
    double epsilon = 0;
    double divisor = 0;
    bool epsilon_inside = true;
};

// The type of a parameter: a Tensor of these elements, or a Norm.
enum class Kind { none, float32, float64, indices, norm };

// A type-erased function; only `call` knows its type.
struct Added {
    const char* makes;
    bool in_one;        // the collapsed formula instead of the small step
    Kind element;       // of the result: float32 or float64
    const Kind* takes;  // `count` parameters after the result
    std::size_t count;
    void (*function)();
    // `result` is a Tensor<T>*, and each argument points to a parameter of the type in `takes`.
    void (*call)(void (*function)(), void* result, void* const* arguments);
};

namespace of_type {

// A parameter's type without reference and const.
template <class Parameter>
struct Plain {
    using Type = Parameter;
};
template <class Parameter>
struct Plain<const Parameter> : Plain<Parameter> {};
template <class Parameter>
struct Plain<Parameter&> : Plain<Parameter> {};

template <class Plain>
inline constexpr Kind kKindOf = Kind::none;
template <>
inline constexpr Kind kKindOf<Tensor<const float>> = Kind::float32;
template <>
inline constexpr Kind kKindOf<Tensor<const double>> = Kind::float64;
template <>
inline constexpr Kind kKindOf<Indices> = Kind::indices;
template <>
inline constexpr Kind kKindOf<Norm> = Kind::norm;

template <class Parameter>
inline constexpr Kind kKind = kKindOf<typename Plain<Parameter>::Type>;
template <class... Parameters>
inline constexpr Kind kTakes[] = {kKind<Parameters>..., Kind::none};

// Consecutive pointers.
struct Arguments {
    void* const* next;
    template <class Type>
    Type& take() {
        return *static_cast<Type*>(*next++);
    }
};

// Calls a function of type void (Tensor<T>, Parameters...); one instance for each type.
template <class T, class... Parameters>
struct Call {
    static void call(void (*function)(), void* result, void* const* arguments) {
        [[maybe_unused]] Arguments all{arguments};
        // (Braces: evaluated from left to right.)
        Call{reinterpret_cast<void (*)(Tensor<T>, Parameters...)>(function), *static_cast<Tensor<T>*>(result),
             all.take<typename Plain<Parameters>::Type>()...};
    }
    Call(void (*function)(Tensor<T>, Parameters...), const Tensor<T>& result,
         typename Plain<Parameters>::Type&... arguments) {
        function(result, arguments...);
    }
};

}  // namespace of_type

// The list that functions are added to.
class Steps {
public:
    using Receive = void (*)(void* list, const Added& added);
    Steps(Receive receive, void* list) : receive_(receive), list_(list) {}

    // `makes` is computed by `function`, whose parameters are the result, the inputs in the order of the step (`byhand
    // explain NAME` lists it), and optionally a Norm at the end. T is float or double: add both.
    template <class T, class... Parameters>
    void add(Text makes, void (*function)(Tensor<T>, Parameters...)) {
        add(makes, false, function);
    }

    // The same for the collapsed formulas: dlogits from logits and Y; dhprebn from dbnraw, bnraw, bnvar_inv and bnvar.
    template <class T, class... Parameters>
    void add_in_one(Text makes, void (*function)(Tensor<T>, Parameters...)) {
        add(makes, true, function);
    }

private:
    template <class T, class... Parameters>
    void add(Text makes, bool in_one, void (*function)(Tensor<T>, Parameters...)) {
        constexpr Kind kElement = of_type::kKind<Tensor<const T>>;
        static_assert(kElement == Kind::float32 || kElement == Kind::float64, "float and double are what is judged");
        static_assert(((of_type::kKind<Parameters> == kElement || of_type::kKind<Parameters> == Kind::indices ||
                        of_type::kKind<Parameters> == Kind::norm) &&
                       ...),
                      "a function takes Tensor<T> first, then Tensor<const T>, Indices or a Norm");
        receive_(list_, {makes.begin(), in_one, kElement, of_type::kTakes<Parameters...>, sizeof...(Parameters),
                         reinterpret_cast<void (*)()>(function), of_type::Call<T, Parameters...>::call});
    }

    Receive receive_;
    void* list_;
};

}  // namespace byhand::exercise

// Defined by a file of external functions: it adds its functions. Called once.
extern "C" void byhand_steps(byhand::exercise::Steps& steps);

// The version of Added in a library; libraries compiled with other headers have another, or none.
extern "C" [[gnu::used]] inline const int byhand_steps_interface = 2;
