// Dropout: in training each element is dropped with probability p, the others are scaled by 1/(1 − p), so that the
// expectation is unchanged (Srivastava et al., Dropout, 2014; scaled in training, as in PyTorch). Evaluation changes
// nothing.
//
// The mask is a function of a key, one number that each update advances.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/hash.h"
#include "base/network.h"

namespace byhand {

// A number of any type as a double.
template <class T>
double plain(const T& number) {
    if constexpr (std::is_floating_point_v<T>) {
        return static_cast<double>(number);
    } else {
        return number.value;
    }
}

// Elements `first` to first + count − 1 of the mask of (N, H): element i is 1/(1 − p) where u[i] ≥ p, else 0.   u[i] in
// [0, 1): the upper 24 bits of the i-th number of splitmix64's stream that begins with the float's 32 bits in key, one
// number.   Precondition: p < 1.
template <class T>
void dropout_mask(T* mask, const T* key, std::size_t first, std::size_t count, double p) {
    const std::uint64_t stream = std::uint64_t{std::bit_cast<std::uint32_t>(static_cast<float>(plain(*key)))} << 32;
    // u[i] ≥ p just when the number is at least this one.
    const auto least = static_cast<std::uint64_t>(std::ceil(p * 0x1p24)) << 40;
    const T kept = T(1) / T(1 - p);
    for (std::size_t i = 0; i < count; ++i) {
        mask[i] = mixed(stream + first + i) >= least ? kept : T(0);
    }
}

// y = mask·x.   All (n, H).
template <class T>
void dropout_forward(T* y, const T* x, const T* mask, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        y[i] = mask[i] * x[i];
    }
}

// dx = mask·dy.   All (n, H).
template <class T>
void dropout_backward(T* dx, const T* dy, const T* mask, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = mask[i] * dy[i];
    }
}

// y = x
template <class T>
void dropout_evaluation(T* y, const T* x, std::size_t count) {
    std::copy_n(x, count, y);
}

// new_key = (1140671485·key + 12820163) mod 2^24, with the whole number in |key|: cycles through all 2^24 keys.
template <class T>
void dropout_key_update(T* new_key, const T* key) {
    const auto whole = static_cast<std::uint64_t>(std::fmod(std::abs(plain(*key)), kMaskKeys));
    *new_key = static_cast<T>(static_cast<double>((1140671485 * whole + 12820163) % kMaskKeys));
}

}  // namespace byhand
