// A named, non-owning view of an array: the interface between the implementations and the harness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "byhand/shape.h"

namespace byhand {

// How an element is stored. float16 is also called half.
enum class DType { float32, float64, int64, bfloat16, float16, int8, int16, int32 };

// Bytes.
std::size_t size_of(DType dtype);

namespace view_details {

template <class T>
constexpr std::optional<DType> dtype_for() {
    if constexpr (std::is_same_v<T, float>) {
        return DType::float32;
    } else if constexpr (std::is_same_v<T, double>) {
        return DType::float64;
    } else if constexpr (std::is_integral_v<T>) {
        return sizeof(T) == 1   ? DType::int8
               : sizeof(T) == 2 ? DType::int16
               : sizeof(T) == 4 ? DType::int32
                                : DType::int64;
    } else {
        return std::nullopt;
    }
}

}  // namespace view_details

// How elements of type T are stored; std::nullopt if that is not known. Specialize it for a type of your own:
//   template <> inline constexpr std::optional<byhand::DType> byhand::dtype_for<yours::bf16> = byhand::DType::bfloat16;
template <class T>
inline constexpr std::optional<DType> dtype_for = view_details::dtype_for<T>();
#ifdef __FLT16_MANT_DIG__
template <>
inline constexpr std::optional<DType> dtype_for<_Float16> = DType::float16;
#endif
#ifdef __BFLT16_MANT_DIG__
template <>
inline constexpr std::optional<DType> dtype_for<__bf16> = DType::bfloat16;
#endif

// Owns nothing: valid as long as the owner of the numbers keeps them in place.
struct View {
    std::string name;
    Shape shape;
    DType dtype = DType::float32;
    const void* data = nullptr;
};

// The element at a flat position, as double: exact for all formats of numbers, and for the indices that occur.
double value_at(const View& view, std::size_t position);

// The index of a flat position: (row, column) of a matrix.
std::vector<std::size_t> index_of(const Shape& shape, std::size_t position);

// The view of that name, or nullptr.
const View* find(const std::vector<View>& views, const std::string& name);
const View* find(std::vector<View>&& views, const std::string& name) = delete;  // the result would dangle

}  // namespace byhand
