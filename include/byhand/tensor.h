// Views of your own arrays, to be checked.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "byhand/view.h"

namespace byhand {

// The array at `data`, of this shape, in row order: of floats, doubles, signed integers, or another type with a
// dtype_for. It must outlive the view.
template <class T>
View tensor(std::string name, const T* data, Shape shape) {
    static_assert(dtype_for<T> && std::is_signed_v<T> >= std::is_integral_v<T>,
                  "a tensor has floats, doubles, signed integers, or another type for which byhand::dtype_for is set");
    return {std::move(name), std::move(shape), *dtype_for<T>, data};
}

// Throws std::invalid_argument if the shape has another number of elements.
template <class T>
View tensor(std::string name, const std::vector<T>& elements, Shape shape) {
    if (count(shape) != elements.size()) {
        throw std::invalid_argument(name + " has " + std::to_string(elements.size()) + " elements, but its shape " +
                                    to_string(shape) + " has " + std::to_string(count(shape)));
    }
    return tensor(std::move(name), elements.data(), std::move(shape));
}
template <class T>
View tensor(std::string name, std::vector<T>&& elements, Shape shape) = delete;  // the view would dangle

}  // namespace byhand
