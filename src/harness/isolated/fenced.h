// Numbers between fences, for steps that run in this process: writes around them are detected afterwards.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/tensors.h"
#include "harness/isolated/values.h"
#include "steps/step.h"

namespace byhand {

// The number around a result. Not a NaN, which would remain a NaN after any addition.
template <class T>
inline constexpr T kFence = T{-7.25};

template <class T>
bool same_bits(const T& a, const T& b) {
    return std::bit_cast<Bits<T>>(a) == std::bit_cast<Bits<T>>(b);  // a NaN is unlike itself
}

template <class T>
class Fenced {
public:
    Fenced(std::size_t elements, T fence)
        : fence_(16 + std::min<std::size_t>(elements, 4096)), all_(elements + 2 * fence_, fence) {}

    T* data() { return all_.data() + fence_; }
    std::size_t size() const { return all_.size() - 2 * fence_; }
    std::span<const T> numbers() const { return {all_.data() + fence_, size()}; }

    bool fences_stand() const {
        const auto fence = static_cast<std::ptrdiff_t>(fence_);
        const auto is_untouched = [&](const T& number) { return same_bits(number, all_.front()); };
        return std::all_of(all_.begin(), all_.begin() + fence, is_untouched) &&
               std::all_of(all_.end() - fence, all_.end(), is_untouched);
    }

private:
    std::size_t fence_;
    std::vector<T> all_;
};

// The operands of functions on T: the values as T, each converted once.
template <class T>
class FencedOperands {
public:
    explicit FencedOperands(const Values& values) : values_(values) {}

    std::vector<Operand<T>> of(const std::vector<std::string>& names) {
        std::vector<Operand<T>> operands;
        for (const std::string& name : names) {
            if (values_.holds_indices(name)) {
                operands.emplace_back(values_.indices(name).data());
            } else {
                const std::vector<double>& numbers = values_.numbers(name);
                // A read past their end yields NaNs.
                constexpr T kPoison = std::numeric_limits<T>::quiet_NaN();
                auto [place, is_new] = converted_.try_emplace(name, numbers.size(), kPoison);
                if (is_new) {
                    std::ranges::transform(numbers, place->second.data(), [](double x) { return static_cast<T>(x); });
                }
                operands.emplace_back(static_cast<const T*>(place->second.data()));
            }
        }
        return operands;
    }

    // The first operand that the step has changed.
    std::optional<std::string> changed() const {
        for (const auto& [name, numbers] : converted_) {
            const std::vector<double>& before = values_.numbers(name);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const T was = static_cast<T>(before[i]);
                if (!(numbers.numbers()[i] == was) && !std::isnan(was)) {
                    return name;
                }
            }
            if (!numbers.fences_stand()) {
                return name;
            }
        }
        return std::nullopt;
    }

private:
    const Values& values_;
    std::map<std::string, Fenced<T>> converted_;
};

// Fills memory with the pattern of unwritten elements.
template <class T>
void fill_unwritten(T* numbers, std::size_t elements) {
    const Bits<T> bits = kUnwritten<T>;
    for (std::size_t i = 0; i < elements; ++i) {
        std::memcpy(numbers + i, &bits, sizeof bits);
    }
}

}  // namespace byhand
