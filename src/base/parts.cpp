#include "base/parts.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace byhand {
namespace {

constexpr std::size_t kLine = kAlignment / sizeof(float);

// The sum of some consecutive parts.
struct Sum {
    std::size_t first = 0, last = 0;  // excluding `last`
    std::size_t slot = 0, rows = 0;
};

// Whether the tree over `parts` adds `right`, which begins where `left` ends, to it.
bool are_added(const Sum& left, const Sum& right, std::size_t parts) {
    const std::size_t size = left.last - left.first;
    return std::has_single_bit(size) && left.first % (2 * size) == 0 &&
           right.last == std::min(left.first + 2 * size, parts);
}

// Puts the next sum behind the others and adds as far as the order allows; the additions, by slots.
std::vector<Addition> put(std::vector<Sum>& sums, const Sum& next, std::size_t parts) {
    std::vector<Addition> additions;
    sums.push_back(next);
    while (sums.size() > 1 && are_added(sums[sums.size() - 2], sums.back(), parts)) {
        const Sum right = sums.back();
        sums.pop_back();
        Sum& left = sums.back();
        additions.push_back({left.slot, right.slot, left.rows, right.rows});
        left.last = right.last;
        left.rows += right.rows;
    }
    return additions;
}

struct OfRank {
    std::vector<OwnPart> parts;
    std::size_t slots = 0;
    std::vector<Sum> left;
};

OfRank of_rank(const std::vector<BatchPart>& all, std::size_t rank, std::size_t ranks) {
    OfRank made;
    const PartsOfRank own = parts_of_rank(all.size(), rank, ranks);
    for (std::size_t k = own.first; k < own.last; ++k) {
        const std::size_t slot = made.left.size();
        made.slots = std::max(made.slots, slot + 1);
        made.parts.push_back({all[k], slot, put(made.left, {k, k + 1, slot, all[k].rows}, all.size())});
    }
    return made;
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

PartSums part_sums(std::size_t rows, std::size_t parts, std::size_t rank, std::size_t ranks) {
    const std::vector<BatchPart> all = parts_of(rows, parts);
    PartSums made;
    std::vector<std::vector<Sum>> sent;
    for (std::size_t r = 0; r < ranks; ++r) {
        OfRank of = of_rank(all, r, ranks);
        made.sent = std::max(made.sent, of.left.size());
        sent.push_back(std::move(of.left));
        if (r == rank) {
            made.own = std::move(of.parts);
            made.slots = of.slots;
            made.left = sent.back().size();
        }
    }
    std::vector<Sum> sums;
    for (std::size_t r = 0; r < ranks; ++r) {
        for (Sum sum : sent[r]) {
            sum.slot += r * made.sent;
            const auto additions = put(sums, sum, parts);
            made.additions.insert(made.additions.end(), additions.begin(), additions.end());
        }
    }
    made.total = sums.front().slot;
    return made;
}

void add_between(float* var, const float* mean_to, const float* mean_from, std::size_t count, const Moments& moments,
                 const Addition& addition) {
    const auto a = static_cast<double>(addition.rows_to), b = static_cast<double>(addition.rows_from);
    const auto n = static_cast<double>(moments.batch), positions = static_cast<double>(moments.positions);
    const auto to = static_cast<float>(n / a), from = static_cast<float>(n / b);  // of a share to the mean
    const auto weight = static_cast<float>(a * b / (a + b) * positions / moments.divisor);
    for (std::size_t j = 0; j < count; ++j) {
        const float apart = mean_from[j] * from - mean_to[j] * to;
        var[j] += weight * (apart * apart);
    }
}

std::size_t SharedSums::add(float* to, std::size_t numbers) {
    sums.push_back({to, count, numbers});
    count += (numbers + kLine - 1) / kLine * kLine;
    return sums.back().from;
}

void SharedSums::add_slot(std::span<float> slots, const Addition& addition) const {
    float* const to = slots.data() + addition.to * count;
    const float* const from = slots.data() + addition.from * count;
    for (const Variances& v : variances) {
        add_between(to + v.var, to + v.mean, from + v.mean, v.count, v.moments, addition);
    }
    std::transform(to, to + count, from, to, std::plus());
}

void SharedSums::allocate(const PartSums& parts, std::size_t ranks) {
    own.resize(parts.sent * count);
    all.resize(ranks * own.size());
}

void exchange(SharedSums& shared, const PartSums& parts, Group& group) {
    group.gather(shared.all, shared.own);
    add_gathered(shared, parts);
}

void add_gathered(SharedSums& shared, const PartSums& parts) {
    for (const Addition& addition : parts.additions) {
        shared.add_slot(shared.all, addition);
    }
    for (const auto& [to, from, count] : shared.sums) {
        std::copy_n(shared.all.data() + parts.total * shared.count + from, count, to);
    }
}

SumOverParts::SumOverParts(Group& group, PartSums parts, std::size_t count)
    : group_(group),
      count_(count),
      parts_(std::move(parts)),
      shares_(std::max<std::size_t>(parts_.own.size(), 1) * count),
      total_(count) {}

SumOverParts::SumOverParts(Group& group, std::size_t parts, std::size_t count)
    : SumOverParts(group, part_sums(parts, parts, group.rank(), group.size()), count) {
    sums_.add(total_.data(), count);
    allocate();
}

SumOverParts::SumOverParts(Group& group, std::size_t parts, std::size_t count, const Moments& moments)
    : SumOverParts(group, part_sums(moments.batch, parts, group.rank(), group.size()), 2 * count) {
    sums_.add(total_.data(), 2 * count);
    sums_.variances.push_back({moments, 0, count, count});
    allocate();
}

void SumOverParts::allocate() {
    sums_.allocate(parts_, group_.size());
    slots_.resize(std::max(parts_.slots, parts_.sent) * sums_.count);
}

std::span<const float> SumOverParts::total() {
    for (std::size_t k = 0; k < parts_.own.size(); ++k) {
        const OwnPart& part = parts_.own[k];
        std::ranges::copy(share(k), slots_.begin() + static_cast<std::ptrdiff_t>(part.slot * sums_.count));
        for (const Addition& addition : part.additions) {
            sums_.add_slot(slots_, addition);
        }
    }
    std::copy_n(slots_.begin(), sums_.own.size(), sums_.own.begin());
    exchange(sums_, parts_, group_);
    return total_;
}

}  // namespace byhand
