// The values of every rank, gathered, and whether all ranks have the same inputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/group.h"
#include "base/tensors.h"

namespace byhand {

// (N, own.size()): row r is what rank r passed, by its bytes.
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

namespace distributed {

// An input, by its hash.
struct Fact {
    std::string name;
    std::uint64_t hash = 0;
};
// Each tensor.
std::vector<Fact> facts_of(const Tensors<float>& state);

// Throws InputError if a rank's facts differ from those of rank 0; it names the first such rank and its first such
// fact, between `before` and `after`.
void check_agreement(Group& group, const std::vector<Fact>& facts, const std::string& before = "",
                     const std::string& after = ": start all ranks alike");

}  // namespace distributed
}  // namespace byhand
