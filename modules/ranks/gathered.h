// The values of every rank, gathered by their bytes.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include "base/group.h"

namespace byhand {

// (N, own.size()): row r is what rank r passed.
template <class T>
std::vector<T> gathered(Group& group, std::span<const T> own) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(float) == 0);
    std::vector<float> row(own.size_bytes() / sizeof(float)), all(group.size() * row.size());
    std::ranges::copy(std::as_bytes(own), std::as_writable_bytes(std::span(row)).begin());
    group.gather(all, row);
    std::vector<T> values(group.size() * own.size());
    std::ranges::copy(std::as_bytes(std::span(all)), std::as_writable_bytes(std::span(values)).begin());
    return values;
}

}  // namespace byhand
