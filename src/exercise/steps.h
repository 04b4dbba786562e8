// How external functions are handed to byhand: by the name of what each makes.
#pragma once

#include <cstddef>

#include "exercise/tensor.h"

namespace byhand::exercise {

// What batch norm's formulas need besides tensors: ε, the variance's divisor, n or n − 1, and whether ε stands inside
// the root, √(variance + ε), or beside it, √variance + ε.
struct Norm {
    double epsilon = 0;
    double divisor = 0;
    bool epsilon_inside = true;
};

// What a function takes: a Tensor of these elements, or a Norm.
enum class Kind { none, float32, float64, indices, norm };

// A function whose type only `call` knows.
struct Added {
    const char* makes;
    bool in_one;        // by the formula in one, instead of the small step
    Kind element;       // of the result: float32 or float64
    const Kind* takes;  // `count` of them, besides the result
    std::size_t count;
    void (*function)();
    // `result` is a Tensor<T>*, and each argument points to what `takes` names.
    void (*call)(void (*function)(), void* result, void* const* arguments);
};

namespace of_type {

// What stays of a parameter's type.
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

// Pointers, one after another.
struct Arguments {
    void* const* next;
    template <class Type>
    Type& take() {
        return *static_cast<Type*>(*next++);
    }
};

// A function of type void (Tensor<T>, Parameters...), called; one instance for each type there is.
template <class T, class... Parameters>
struct Call {
    static void call(void (*function)(), void* result, void* const* arguments) {
        [[maybe_unused]] Arguments all{arguments};
        // (Braces: from left to right.)
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

    // `makes` is made by `function`, whose parameters are the result, what it reads in the order of the step (`byhand
    // explain NAME` lists it), and a Norm at the end where it wants one. T is float or double: give both.
    template <class T, class... Parameters>
    void add(Text makes, void (*function)(Tensor<T>, Parameters...)) {
        add(makes, false, function);
    }

    // The same for the formulas in one: dlogits from logits and Y; dhprebn from dbnraw, bnraw, bnvar_inv and bnvar.
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

// What a file of external functions defines: it adds its functions. Called once.
extern "C" void byhand_steps(byhand::exercise::Steps& steps);

// In a library it says which form of Added its functions come in: one of other headers has another, or none.
extern "C" [[gnu::used]] inline const int byhand_steps_interface = 2;
