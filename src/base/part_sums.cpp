#include "base/part_sums.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "base/parts.h"

namespace byhand {
namespace {

constexpr std::size_t kLine = kAlignment / sizeof(float);

// The sum of some consecutive parts.
struct Sum {
    std::size_t first = 0, last = 0;  // excluding `last`
    std::size_t slot = 0;
};

// Whether the tree over `parts` adds `right`, which begins where `left` ends, to it.
bool are_added(const Sum& left, const Sum& right, std::size_t parts) {
    const std::size_t size = left.last - left.first;
    return std::has_single_bit(size) && left.first % (2 * size) == 0 &&
           right.last == std::min(left.first + 2 * size, parts);
}

// Puts the next sum behind the others and adds as far as the order allows; the additions, by slots.
std::vector<PartSums::Addition> put(std::vector<Sum>& sums, const Sum& next, std::size_t parts) {
    std::vector<PartSums::Addition> additions;
    sums.push_back(next);
    while (sums.size() > 1 && are_added(sums[sums.size() - 2], sums.back(), parts)) {
        const Sum right = sums.back();
        sums.pop_back();
        sums.back().last = right.last;
        additions.push_back({sums.back().slot, right.slot});
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
        made.parts.push_back({all[k], slot, put(made.left, {k, k + 1, slot}, all.size()).size()});
    }
    return made;
}

// Adds slot `from` to slot `to`.
void add_slot(AlignedVector<float>& slots, std::size_t count, const PartSums::Addition& addition) {
    float* const to = slots.data() + addition.to * count;
    std::transform(to, to + count, slots.data() + addition.from * count, to, std::plus());
}

const float* added_in_order(SharedSums& shared, const PartSums& parts, Group& group) {
    group.gather(shared.all, shared.own);
    for (const PartSums::Addition& addition : parts.additions) {
        add_slot(shared.all, shared.count, addition);
    }
    return shared.all.data() + parts.total * shared.count;
}

const float* added_by_group(SharedSums& shared, const PartSums& parts, Group& group) {
    const std::span<float> first = std::span(shared.own).first(shared.count);
    if (parts.left == 0) {
        std::ranges::fill(first, 0.0F);
    }
    for (std::size_t slot = parts.left; slot-- > 1;) {
        add_slot(shared.own, shared.count, {0, slot});
    }
    group.add(first);
    return first.data();
}

}  // namespace

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

std::size_t SharedSums::add(float* to, std::size_t numbers) {
    sums.push_back({to, count, numbers});
    count += (numbers + kLine - 1) / kLine * kLine;
    return sums.back().from;
}

void SharedSums::allocate(const PartSums& parts, const Group& group) {
    own.resize(parts.sent * count);
    all.resize(group.adds() ? 0 : group.size() * own.size());
}

void exchange(SharedSums& shared, const PartSums& parts, Group& group) {
    const float* const total =
        group.adds() ? added_by_group(shared, parts, group) : added_in_order(shared, parts, group);
    for (const auto& [to, from, count] : shared.sums) {
        std::copy_n(total + from, count, to);
    }
}

SumOverParts::SumOverParts(Group& group, std::size_t parts, std::size_t count)
    : group_(group),
      count_(count),
      parts_(part_sums(parts, parts, group.rank(), group.size())),
      shares_(std::max<std::size_t>(parts_.own.size(), 1) * count),
      total_(count) {
    sums_.add(total_.data(), count);
    sums_.allocate(parts_, group);
}

std::span<const float> SumOverParts::total() {
    std::vector<std::vector<float>> slots(std::max(parts_.slots, parts_.sent), std::vector<float>(count_));
    for (std::size_t k = 0; k < parts_.own.size(); ++k) {
        const OwnPart& part = parts_.own[k];
        std::ranges::copy(share(k), slots[part.slot].begin());
        for (std::size_t i = 0; i < part.additions; ++i) {
            std::vector<float>& to = slots[part.slot - i - 1];
            std::ranges::transform(to, slots[part.slot - i], to.begin(), std::plus());
        }
    }
    for (std::size_t slot = 0; slot < parts_.sent; ++slot) {
        std::ranges::copy(slots[slot], sums_.own.begin() + static_cast<std::ptrdiff_t>(slot * sums_.count));
    }
    exchange(sums_, parts_, group_);
    return total_;
}

}  // namespace byhand
