#include "base/parts.h"

#include <algorithm>
#include <functional>

namespace byhand {
namespace {

void add_to(std::span<float> sum, std::span<const float> other) {
    std::ranges::transform(sum, other, sum.begin(), std::plus());
}

}  // namespace

std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts) {
    std::vector<BatchPart> all;
    for (std::size_t k = 0; k < parts; ++k) {
        const std::size_t first = rows * k / parts;
        all.push_back({.first = first, .rows = rows * (k + 1) / parts - first, .batch = rows});
    }
    return all;
}

PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks) {
    return {parts * rank / ranks, parts * (rank + 1) / ranks};
}

SumOverParts::SumOverParts(Group& group, std::size_t parts, std::size_t count)
    : group_(group),
      parts_(parts),
      count_(count),
      most_((parts + group.size() - 1) / group.size()),
      own_(most_ * count),
      all_(group.size() * own_.size()) {}

std::span<const float> SumOverParts::total() {
    group_.gather(all_, own_);
    std::vector<std::span<float>> shares;
    shares.reserve(parts_);
    for (std::size_t rank = 0; rank < group_.size(); ++rank) {
        for (std::size_t k = 0; k < parts_of_rank(parts_, rank, group_.size()).count(); ++k) {
            shares.emplace_back(all_.data() + (rank * most_ + k) * count_, count_);
        }
    }
    for (std::size_t distance = 1; distance < parts_; distance *= 2) {
        for (std::size_t k = 0; k + distance < parts_; k += 2 * distance) {
            add_to(shares[k], shares[k + distance]);
        }
    }
    return shares.front();
}

}  // namespace byhand
