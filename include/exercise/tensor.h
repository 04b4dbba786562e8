// A tensor with checked accesses: the inputs and result of an external function. It is compiled with every file of such
// functions, so it includes no expensive headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>

namespace byhand::exercise {

// A text such as "dW1" or a std::string. It is read immediately, and not stored.
class Text {
public:
    Text(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor): both are texts
    template <class String>
    Text(const String& text) : text_(text.c_str()) {}  // NOLINT(google-explicit-constructor)
    const char* begin() const { return text_; }

private:
    const char* text_;
};

// An invalid operation of a function: the message says what it is, and names the tensor. Long messages are cut.
class Fault : public std::exception {
public:
    explicit Fault(Text message) { add(message.begin()); }
    const char* what() const noexcept override { return message_; }

    Fault& add(const char* text) {
        for (; *text != '\0' && length_ + 1 < sizeof message_; ++text) {
            message_[length_++] = *text;
        }
        message_[length_] = '\0';
        return *this;
    }
    Fault& add(std::ptrdiff_t number) {
        char digits[24];
        char* first = digits + sizeof digits - 1;
        *first = '\0';
        for (std::ptrdiff_t rest = number; rest != 0 || *first == '\0'; rest /= 10) {
            *--first = static_cast<char>('0' + (rest < 0 ? -(rest % 10) : rest % 10));
        }
        if (number < 0) {
            *--first = '-';
        }
        return add(first);
    }

private:
    char message_[512] = {};
    std::size_t length_ = 0;
};

// The extents of a tensor, or the indices of an element: one for each axis.
struct Extents {
    static constexpr std::ptrdiff_t kMostAxes = 4;

    std::ptrdiff_t axes = 0;
    std::ptrdiff_t of[kMostAxes] = {};

    // Precondition: at most kMostAxes.
    Extents(std::initializer_list<std::ptrdiff_t> all) {
        for (const std::ptrdiff_t extent : all) {
            of[axes++] = extent;
        }
    }
    std::ptrdiff_t count() const {
        std::ptrdiff_t elements = 1;
        for (std::ptrdiff_t axis = 0; axis < axes; ++axis) {
            elements *= of[axis];
        }
        return elements;
    }
};

// "(32, 27)", "()".
inline Fault& add(Fault& fault, const Extents& extents) {
    fault.add("(");
    for (std::ptrdiff_t axis = 0; axis < extents.axes; ++axis) {
        fault.add(axis == 0 ? "" : ", ").add(extents.of[axis]);
    }
    return fault.add(")");
}

template <class T>
inline constexpr bool kIsInput = false;
template <class T>
inline constexpr bool kIsInput<const T> = true;

// "reads W2(0, 27), out of bounds: W2 is 100 × 27". (How `out` is accessed is not known.)
[[noreturn]] inline void refuse_element(bool is_input, const char* name, const Extents& extents, const Extents& at) {
    Fault fault(is_input ? "reads " : "accesses ");
    add(fault.add(name), at);
    fault.add(", out of bounds: ").add(name).add(extents.axes == 0 ? " is one number" : " is ");
    for (std::ptrdiff_t axis = 0; axis < extents.axes; ++axis) {
        fault.add(axis == 0 ? "" : " × ").add(extents.of[axis]);
    }
    throw fault;  // NOLINT(misc-throw-by-value-catch-by-reference): put together above
}

[[noreturn]] inline void refuse_axis(const char* name, const Extents& extents, std::ptrdiff_t axis) {
    Fault fault("asks for size(");
    add(fault.add(axis).add(") of ").add(name).add(", which is "), extents);
    throw fault;  // NOLINT(misc-throw-by-value-catch-by-reference)
}

// T is float or double; const for an input. Indices count from 0: probs(i, j) is row i, column j. The caller owns the
// numbers and the name.
template <class T>
class Tensor {
public:
    Tensor(const char* name, const Extents& extents, T* data) : name_(name), extents_(extents), data_(data) {}

    // The extent of an axis: size(0) is the number of rows of a matrix, size(1) that of its columns. Signed, like
    // indices: -1 / size(0) is not a huge number (but an integer division). Throws Fault for an axis that does not
    // exist.
    std::ptrdiff_t size(std::ptrdiff_t axis) const {
        if (axis < 0 || axis >= extents_.axes) {
            refuse_axis(name_, extents_, axis);
        }
        return extents_.of[axis];
    }

    // One element; () for a scalar. Throws Fault if the indices are out of range.
    template <class... Index>
    T& operator()(Index... index) const {
        static_assert(sizeof...(Index) <= Extents::kMostAxes, "a tensor has no more than four axes");
        bool is_inside = sizeof...(Index) == extents_.axes;
        [[maybe_unused]] const std::ptrdiff_t* extent = extents_.of;
        std::ptrdiff_t place = 0;
        ((is_inside = is_inside && static_cast<std::size_t>(index) < static_cast<std::size_t>(*extent),
          place = place * *extent++ + static_cast<std::ptrdiff_t>(index)),
         ...);
        if (!is_inside) {
            refuse_element(kIsInput<T>, name_, extents_, {static_cast<std::ptrdiff_t>(index)...});
        }
        return data_[place];
    }

    // The numbers themselves, in row order, for a kernel without the checks.
    T* data() const { return data_; }
    std::ptrdiff_t count() const { return extents_.count(); }
    const char* name() const { return name_; }

private:
    const char* name_;
    Extents extents_;
    T* data_;
};

// X and Y.
using Indices = Tensor<const std::int64_t>;

}  // namespace byhand::exercise
