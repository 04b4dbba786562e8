#include "harness/isolated/stored.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "base/narrow.h"
#include "base/tensors.h"

namespace byhand {
namespace {

// As kUnwritten: signalling NaNs, and the bits that arithmetic makes of them.
constexpr std::uint16_t kUnwrittenBfloat16 = 0x7fa0, kUnwrittenFloat16 = 0x7d0b, kSign16 = 0x8000;
constexpr std::uint16_t kQuietBfloat16 = 0x7fe0, kQuietFloat16 = 0x7f0b;

template <class T>
constexpr DType dtype_of_numbers = std::is_same_v<T, float> ? DType::float32 : DType::float64;

template <class To, class From>
void copy_as(std::span<const From> from, std::byte* to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        const To element = static_cast<To>(from[i]);
        std::memcpy(to + i * sizeof(To), &element, sizeof element);
    }
}

template <class From>
void copy_as(std::span<const From> from, DType dtype, std::byte* to) {
    switch (dtype) {
        case DType::float32:
            return copy_as<float>(from, to);
        case DType::float64:
            return copy_as<double>(from, to);
        case DType::int8:
            return copy_as<std::int8_t>(from, to);
        case DType::int16:
            return copy_as<std::int16_t>(from, to);
        case DType::int32:
            return copy_as<std::int32_t>(from, to);
        case DType::int64:
            return copy_as<std::int64_t>(from, to);
        case DType::bfloat16:
        case DType::float16: {
            const auto narrow = dtype == DType::bfloat16 ? bfloat16_of : float16_of;
            for (std::size_t i = 0; i < from.size(); ++i) {
                const std::uint16_t bits = narrow(static_cast<double>(from[i]));
                std::memcpy(to + 2 * i, &bits, sizeof bits);
            }
        }
    }
}

// The bytes of one element.
struct Element {
    std::array<std::byte, 8> bytes{};
    std::size_t size;
};

Element element_of(double number, DType dtype) {
    Element element{.size = size_of(dtype)};
    copy_as(std::span<const double>(&number, 1), dtype, element.bytes.data());
    return element;
}

Element unwritten(DType dtype) {
    Element element{.size = size_of(dtype)};
    const auto set = [&](auto bits) { std::memcpy(element.bytes.data(), &bits, sizeof bits); };
    switch (dtype) {
        case DType::bfloat16:
            set(kUnwrittenBfloat16);
            break;
        case DType::float16:
            set(kUnwrittenFloat16);
            break;
        case DType::float32:
            set(kUnwritten<float>);
            break;
        default:
            set(kUnwritten<double>);
            break;
    }
    return element;
}

void fill(std::span<std::byte> memory, const Element& element) {
    for (std::size_t at = 0; at + element.size <= memory.size(); at += element.size) {
        std::memcpy(memory.data() + at, element.bytes.data(), element.size);
    }
}

// The bits of a float for those of a narrow number, if nothing was written, or only what was computed from that.
std::uint32_t pattern_of(std::uint16_t bits, DType dtype) {
    const bool is_bfloat16 = dtype == DType::bfloat16;
    if (bits == (is_bfloat16 ? kUnwrittenBfloat16 : kUnwrittenFloat16)) {
        return kUnwritten<float>;
    }
    const bool is_from_unwritten = (bits & ~kSign16) == (is_bfloat16 ? kQuietBfloat16 : kQuietFloat16);
    return is_from_unwritten ? kUnwritten<float> | 0x400000U : 0;
}

}  // namespace

template <class T>
DType stored_operand(const Step& step, std::size_t position, const Tensors<double>& values) {
    if (!step.stored.empty()) {
        return step.stored[position];
    }
    return values.holds_indices(step.reads[position]) ? DType::int64 : dtype_of_numbers<T>;
}

template <class T>
DType stored_result(const Step& step) {
    return step.stored.empty() ? dtype_of_numbers<T> : step.stored.back();
}

std::size_t bytes_of(const Tensors<double>& values, const std::string& name, DType dtype) {
    return size_of(dtype) * (values.holds_indices(name) ? values.indices(name).size() : values[name].size());
}

void store(const Tensors<double>& values, const std::string& name, DType dtype, std::byte* to) {
    if (values.holds_indices(name)) {
        copy_as(values.indices(name), dtype, to);
    } else {
        copy_as(values[name], dtype, to);
    }
}

void fill(std::span<std::byte> memory, DType dtype, double number) {
    fill(memory, element_of(number, dtype));
}

bool is_filled(std::span<const std::byte> memory, DType dtype, double number) {
    const Element element = element_of(number, dtype);
    for (std::size_t at = 0; at + element.size <= memory.size(); at += element.size) {
        if (std::memcmp(memory.data() + at, element.bytes.data(), element.size) != 0) {
            return false;
        }
    }
    return true;
}

void fill_unwritten(std::span<std::byte> memory, DType dtype) {
    fill(memory, unwritten(dtype));
}

template <class T>
std::vector<T> loaded(std::span<const std::byte> memory, DType dtype) {
    std::vector<T> numbers(memory.size() / size_of(dtype));
    if (dtype == dtype_of_numbers<T>) {
        if (!numbers.empty()) {
            std::memcpy(numbers.data(), memory.data(), memory.size());
        }
        return numbers;
    }
    const View stored{.name = "", .shape = {numbers.size()}, .dtype = dtype, .data = memory.data()};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = static_cast<T>(value_at(stored, i));
        if constexpr (std::is_same_v<T, float>) {
            std::uint16_t bits = 0;
            std::memcpy(&bits, memory.data() + i * size_of(dtype), sizeof bits);
            if (const std::uint32_t pattern = is_narrow(dtype) ? pattern_of(bits, dtype) : 0) {
                std::memcpy(&numbers[i], &pattern, sizeof pattern);
            }
        }
    }
    return numbers;
}

template DType stored_operand<float>(const Step&, std::size_t, const Tensors<double>&);
template DType stored_operand<double>(const Step&, std::size_t, const Tensors<double>&);
template DType stored_result<float>(const Step&);
template DType stored_result<double>(const Step&);
template std::vector<float> loaded(std::span<const std::byte>, DType);
template std::vector<double> loaded(std::span<const std::byte>, DType);

}  // namespace byhand
