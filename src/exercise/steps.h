// How somebody's own functions are handed to byhand: by the name of what each makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "exercise/tensor.h"

namespace byhand::exercise {

// What batch norm's formulas need besides tensors: ε, the variance's divisor, n or n − 1, and whether ε stands inside
// the root, √(variance + ε), or beside it, √variance + ε.
struct Norm {
    double epsilon = 0;
    double divisor = 0;
    bool epsilon_inside = true;
};

// X and Y.
using Indices = Tensor<const std::int64_t>;

template <class T>
using Read = std::variant<Tensor<const T>, Indices>;

// One of somebody's functions. `reads` is how many tensors it takes.
template <class T>
struct Function {
    std::string makes;
    bool in_one = false;  // by the formula in one, instead of the small step
    std::size_t reads = 0;
    // Throws Fault, where the function does what it should not or takes another kind of tensor.
    std::function<void(Tensor<T> out, const std::vector<Read<T>>& reads, const Norm& norm)> run;

    // "dlogits", "dlogits_in_one".
    std::string label() const { return in_one ? makes + "_in_one" : makes; }
};

class Steps {
public:
    // `makes` is made by `function`, whose parameters are the result, what it reads in the order of the step (`byhand
    // explain NAME` tells it), and a Norm at the end where it wants one. T is float or double: give both.
    template <class T, class... Parameters>
    void add(std::string makes, void (*function)(Tensor<T>, Parameters...)) {
        list<T>().push_back({std::move(makes), false, kReads<Parameters...>, bound(function)});
    }

    // The same for the formulas in one: dlogits from logits and Y; dhprebn from dbnraw, bnraw, bnvar_inv and bnvar.
    template <class T, class... Parameters>
    void add_in_one(std::string makes, void (*function)(Tensor<T>, Parameters...)) {
        list<T>().push_back({std::move(makes), true, kReads<Parameters...>, bound(function)});
    }

    // In the order in which they came.
    const std::vector<Function<float>>& in_float() const { return float_; }
    const std::vector<Function<double>>& in_double() const { return double_; }

private:
    template <class Parameter>
    static constexpr bool kIsNorm = std::is_same_v<std::remove_cvref_t<Parameter>, Norm>;
    template <class... Parameters>
    static constexpr std::size_t kReads = (std::size_t{0} + ... + (kIsNorm<Parameters> ? 0 : 1));

    template <class T>
    auto& list() {
        static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "float and double are what is judged");
        if constexpr (std::is_same_v<T, float>) {
            return float_;
        } else {
            return double_;
        }
    }

    template <class Parameter, class T>
    static std::remove_cvref_t<Parameter> argument(const std::vector<Read<T>>& reads, std::size_t& next,
                                                   const Norm& norm) {
        if constexpr (kIsNorm<Parameter>) {
            return norm;
        } else {
            const Read<T>& read = reads.at(next++);
            if (const auto* tensor = std::get_if<std::remove_cvref_t<Parameter>>(&read)) {
                return *tensor;
            }
            throw Fault("takes something else as its " + std::to_string(next) + ". tensor: " +
                        std::visit([](const auto& tensor) { return tensor.name(); }, read) + " comes there");
        }
    }

    template <class T, class... Parameters>
    static auto bound(void (*function)(Tensor<T>, Parameters...)) {
        return [function](Tensor<T> out, const std::vector<Read<T>>& reads, const Norm& norm) {
            [[maybe_unused]] std::size_t next = 0;
            // (Braces: from left to right.)
            std::tuple<std::remove_cvref_t<Parameters>...> arguments{argument<Parameters, T>(reads, next, norm)...};
            std::apply([&](auto&... each) { function(out, each...); }, arguments);
        };
    }

    std::vector<Function<float>> float_;
    std::vector<Function<double>> double_;
};

}  // namespace byhand::exercise

// What a file of one's own defines: it adds its functions. Called once.
extern "C" void byhand_steps(byhand::exercise::Steps& steps);
