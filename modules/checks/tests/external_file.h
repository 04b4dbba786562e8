// Tensors as an external file holds them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "byhand/view.h"
#include "checks/files/tensor_source.h"

namespace byhand::test {

class File {
public:
    File() = default;
    File(const File&) = delete;  // its views would still look at the other's numbers
    File& operator=(const File&) = delete;

    template <class T>
    File& add(const std::string& name, const Shape& shape, const std::vector<T>& numbers) {
        std::vector<std::byte>& bytes = bytes_.emplace_back(numbers.size() * sizeof(T));
        std::ranges::copy(std::as_bytes(std::span(numbers)), bytes.begin());
        const DType dtype = std::is_same_v<T, float>    ? DType::float32
                            : std::is_same_v<T, double> ? DType::float64
                                                        : DType::int64;
        views_.push_back({name, shape, dtype, bytes.data()});
        return *this;
    }
    const std::vector<View>& views() const { return views_; }
    TensorSources sources() const {
        TensorSources all;
        for (const View& view : views_) {
            const char* const type = view.dtype == DType::float32   ? "F32"
                                     : view.dtype == DType::float64 ? "F64"
                                                                    : "I64";
            const auto open = [view] {
                return [view, at = std::size_t{0}](void* to, std::size_t size) mutable {
                    const std::size_t taken = std::min(size, count(view.shape) * size_of(view.dtype) - at);
                    std::copy_n(static_cast<const std::byte*>(view.data) + std::exchange(at, at + taken), taken,
                                static_cast<std::byte*>(to));
                    return taken;
                };
            };
            all.tensors.push_back({view.name, type, view.shape, view.dtype, open});
        }
        return all;
    }

private:
    std::deque<std::vector<std::byte>> bytes_;
    std::vector<View> views_;
};

}  // namespace byhand::test
