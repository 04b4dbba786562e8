// The extents of a tensor.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace byhand {

// Extents, outermost first; rows are contiguous. A scalar has no extents and one element.
using Shape = std::vector<std::size_t>;

// The number of elements. Precondition: the product fits (checked where a network is sized, see check_network).
inline std::size_t count(const Shape& shape) {
    std::size_t elements = 1;
    for (const std::size_t extent : shape) {
        elements *= extent;
    }
    return elements;
}

// "(32, 27)", "(27)", "()".
inline std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (const std::size_t extent : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return text + ")";
}

}  // namespace byhand
