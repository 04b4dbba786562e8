// The operands and the result of a call in memory: as T and int64, or in the formats that the step says.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/tensors.h"
#include "byhand/view.h"
#include "steps/step.h"

namespace byhand {

// The number around a result. Not a NaN, which would remain a NaN after any addition.
inline constexpr double kFence = -7.25;

// Of the operand at this position, or of the result. T is float or double.
template <class T>
DType stored_operand(const Step& step, std::size_t position, const Tensors<double>& values);
template <class T>
DType stored_result(const Step& step);

// The bytes of a value in this format, in which numbers are rounded to nearest.
std::size_t bytes_of(const Tensors<double>& values, const std::string& name, DType dtype);
void store(const Tensors<double>& values, const std::string& name, DType dtype, std::byte* to);
// Every element is `number`, which the format has.
void fill(std::span<std::byte> memory, DType dtype, double number);
bool is_filled(std::span<const std::byte> memory, DType dtype, double number);
// Every element has the pattern of unwritten elements.
void fill_unwritten(std::span<std::byte> memory, DType dtype);
// As T, with the patterns of what is unwritten or computed from it.
template <class T>
std::vector<T> loaded(std::span<const std::byte> memory, DType dtype);

// The same bits, or two NaNs; but a written NaN differs from an unwritten element.
template <class T>
bool same_number(const T& a, const T& b) {
    return std::bit_cast<Bits<T>>(a) == std::bit_cast<Bits<T>>(b) ||
           (std::isnan(a) && std::isnan(b) && !is_unwritten(&a) && !is_unwritten(&b));
}

// An operand of a function, which takes it as T or int64.
template <class T>
Operand<T> operand_at(const std::byte* data, bool indices) {
    if (indices) {
        return reinterpret_cast<const std::int64_t*>(data);
    }
    return reinterpret_cast<const T*>(data);
}

}  // namespace byhand
