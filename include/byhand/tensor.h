// Views of your own arrays, to be checked.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "byhand/view.h"

namespace byhand {

// The array at `data`, of this shape, in row order. It must outlive the view.
inline View tensor(std::string name, const float* data, Shape shape) {
    return {std::move(name), std::move(shape), DType::float32, data};
}
inline View tensor(std::string name, const double* data, Shape shape) {
    return {std::move(name), std::move(shape), DType::float64, data};
}
inline View tensor(std::string name, const std::int64_t* data, Shape shape) {
    return {std::move(name), std::move(shape), DType::int64, data};
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
