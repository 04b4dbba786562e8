// A tensor whose every access is checked: what somebody's own function reads and writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/shape.h"

namespace byhand::exercise {

// Something that somebody's own function did and should not have done. The message says what, of which tensor.
struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// T is float or double; const where it is only to be read. Indices count from 0: probs(i, j) is row i, column j.
template <class T>
class Tensor {
public:
    Tensor(std::string name, Shape shape, T* data) : name_(std::move(name)), shape_(std::move(shape)), data_(data) {}

    // The extent of an axis: size(0) are the rows of a matrix, size(1) its columns. Throws Fault where there is none.
    std::size_t size(std::size_t axis) const {
        if (axis >= shape_.size()) {
            throw Fault("asks for size(" + std::to_string(axis) + ") of " + name_ + ", which is " + to_string(shape_));
        }
        return shape_[axis];
    }

    // One element; () for a single number. Throws Fault where there is none at that place.
    template <class... Index>
    T& operator()(Index... index) const {
        const std::array<std::int64_t, sizeof...(Index)> at = {static_cast<std::int64_t>(index)...};
        if (at.size() != shape_.size()) {
            fault(at.data(), at.size());
        }
        std::size_t place = 0;
        for (std::size_t axis = 0; axis < at.size(); ++axis) {
            if (at[axis] < 0 || static_cast<std::size_t>(at[axis]) >= shape_[axis]) {
                fault(at.data(), at.size());
            }
            place = place * shape_[axis] + static_cast<std::size_t>(at[axis]);
        }
        return data_[place];
    }

    // The numbers themselves, row after row, for a kernel that does without the checks.
    T* data() const { return data_; }
    std::size_t count() const { return byhand::count(shape_); }
    const std::string& name() const { return name_; }

private:
    [[noreturn]] void fault(const std::int64_t* at, std::size_t count) const {
        std::string place;
        for (std::size_t axis = 0; axis < count; ++axis) {
            place += (axis == 0 ? "" : ", ") + std::to_string(at[axis]);
        }
        throw Fault("goes to " + name_ + "(" + place + "), and " + name_ + " is " + to_string(shape_));
    }

    std::string name_;
    Shape shape_;
    T* data_;
};

}  // namespace byhand::exercise
