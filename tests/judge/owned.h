// Tensors that own their numbers, for tests of code that takes views.
#pragma once

#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "byhand/view.h"

namespace byhand::test {

template <class T>
struct Owned {
    std::string name;
    Shape shape;
    std::vector<T> values;

    View view() const {
        return {name, shape, std::is_same_v<T, float> ? DType::float32 : DType::float64, values.data()};
    }

    // Stores the bits of kUnwritten. A signalling NaN must not pass through a register as a number.
    void unwrite(std::size_t position) {
        const Bits<T> bits = kUnwritten<T>;
        std::memcpy(&values[position], &bits, sizeof bits);
    }
};

// One axis, with the size of the values.
template <class T = float>
Owned<T> row(std::vector<T> values) {
    return {"x", {values.size()}, std::move(values)};
}

template <class T = float>
Owned<T> scalar(T value) {
    return {"x", {}, {value}};
}

}  // namespace byhand::test
