// Hints from the structure of an error about its cause.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/network.h"
#include "byhand/view.h"

namespace byhand {

// "dx[3, 4]", "loss"
std::string element_of(const std::string& name, const Shape& shape, std::size_t position);

// An extent that a factor may consist of: 31/32 is (n − 1)/n with n = 32.
struct Extent {
    std::int64_t size;
    std::string name;
};

// Those of a network's tensors: n, the number of rows of the batch, then V, H …
std::vector<Extent> extents_of(const NetworkConfig& network, std::size_t n);

inline constexpr const char* kAllZero = "all zero";

// "nothing is written from element 27 on, and dprobs has 27 columns: a sum over the wrong axis?", where `ours` is a
// vector whose elements are unwritten from one on that is the other extent of a matrix that the step reads; else empty.
std::string unwritten_hint(std::span<const double> ours, const Shape& shape, std::vector<View> reads);

// What a hint says holds for every element and so for inputs of any size: "(n − 1)/n: n against n − 1" of "off by the
// factor 31/32 = (n − 1)/n: n against n − 1", "all zero". Empty if it says no such thing.
std::string general_part(const std::string& hint);

// How `ours` differs from `exact`: by one factor ("off by the factor 31/32 = (n − 1)/n: n against n − 1"), by its sign,
// as its transpose, shifted by a row, only in one place ("only the last row is off"). Empty if no structure is found,
// no element is off, or one is not finite. `limits` bound the rounding of each element; the first of `extents` is n,
// the number of rows; where two are equal, the first names a factor. Precondition: all have as many elements as the
// shape.
std::string hint(std::span<const double> ours, std::span<const double> exact, std::span<const double> limits,
                 const Shape& shape, const std::vector<Extent>& extents);

// Whether `ours` equals `expected` within rounding and is much nearer to it than to `exact`. False if an element is not
// finite. Precondition: equal numbers of elements.
bool explains(std::span<const double> expected, std::span<const double> ours, std::span<const double> exact,
              std::span<const double> limits);

}  // namespace byhand
