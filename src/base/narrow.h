// Formats of elements: integers, and numbers of 16 bits, bfloat16 and float16 (half).
#pragma once

#include <cstdint>

#include "byhand/view.h"

namespace byhand {

double of_bfloat16(std::uint16_t bits);
double of_float16(std::uint16_t bits);

// Rounded to nearest, ties to even; infinite beyond the range. bfloat16 is rounded from float.
std::uint16_t bfloat16_of(double x);
std::uint16_t float16_of(double x);

inline bool is_integer(DType dtype) {
    return dtype == DType::int8 || dtype == DType::int16 || dtype == DType::int32 || dtype == DType::int64;
}
inline bool is_narrow(DType dtype) {
    return dtype == DType::bfloat16 || dtype == DType::float16;
}

// The nearest number of a narrow format or float32 (else x); its largest if x is beyond.
double rounded_to(DType dtype, double x);

// Of a type of floats: the distance between two numbers next to x, which is finite.
double spacing_at(double x, DType dtype);
// The largest number of a narrow format.
double largest_of(DType dtype);

// Of two types of floats the one with fewer digits; of others `a`.
inline DType coarser_of(DType a, DType b) {
    return spacing_at(1, b) > spacing_at(1, a) ? b : a;
}

}  // namespace byhand
