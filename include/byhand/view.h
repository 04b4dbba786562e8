// A named, non-owning view of an array: the interface between the implementations and the harness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "byhand/shape.h"

namespace byhand {

enum class DType { float32, float64, int64 };

std::size_t size_of(DType dtype);

// Owns nothing: valid as long as the owner of the numbers keeps them in place.
struct View {
    std::string name;
    Shape shape;
    DType dtype = DType::float32;
    const void* data = nullptr;
};

// The element at a flat position, as double: exact for float, for double, and for the indices that occur.
double value_at(const View& view, std::size_t position);

// The index of a flat position: (row, column) of a matrix.
std::vector<std::size_t> index_of(const Shape& shape, std::size_t position);

// The view of that name, or nullptr.
const View* find(const std::vector<View>& views, const std::string& name);
const View* find(std::vector<View>&& views, const std::string& name) = delete;  // the result would dangle

}  // namespace byhand
