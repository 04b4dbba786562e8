// Sums of shares in the order of the tree.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "base/parts.h"
#include "manual/networks.h"
#include "ranks/tests/thread_ranks.h"

using namespace byhand;

namespace {

float added_in_order(std::vector<float> shares) {
    for (std::size_t distance = 1; distance < shares.size(); distance *= 2) {
        for (std::size_t k = 0; k + distance < shares.size(); k += 2 * distance) {
            shares[k] += shares[k + distance];
        }
    }
    return shares.front();
}

// The sum of the shares of this rank's parts and of the others'.
float added_by_rank(const std::vector<float>& shares, Group& group) {
    const PartSums plan = part_sums(shares.size(), shares.size(), group.rank(), group.size());
    std::vector<float> slots(std::max(plan.slots, plan.sent));
    for (const OwnPart& part : plan.own) {
        slots.at(part.slot) = shares[part.rows.first];
        for (const Addition& addition : part.additions) {
            slots.at(addition.to) += slots.at(addition.from);
        }
    }
    float sum = 0;
    SharedSums message;
    message.add(&sum, 1);
    message.allocate(plan, group.size());
    for (std::size_t slot = 0; slot < plan.sent; ++slot) {
        message.own[slot * message.count] = slots[slot];
    }
    exchange(message, plan, group);
    return sum;
}

void check_order(const std::vector<float>& shares, std::size_t ranks) {
    INFO(shares.size() << " parts, " << ranks << " ranks");
    std::vector<float> sums(ranks);
    thread_ranks::on_each(ranks,
                          [&](thread_ranks::Thread& group) { sums[group.rank()] = added_by_rank(shares, group); });
    CHECK(std::ranges::count(sums, added_in_order(shares)) == static_cast<std::ptrdiff_t>(ranks));
}

}  // namespace

TEST_CASE("part sums: shares are added in the order of the tree, on any number of ranks") {
    std::mt19937 random(3);
    for (std::size_t parts = 1; parts <= 21; ++parts) {
        std::vector<float> shares(parts);
        std::ranges::generate(shares, [&] { return networks::uniform(random, -1, 1); });
        for (const std::size_t ranks : {1U, 2U, 3U, 4U, 5U, 8U, 11U}) {
            check_order(shares, ranks);
        }
    }
}

TEST_CASE("part sums: a rank needs few slots and sends what others have to add") {
    for (std::size_t parts = 1; parts <= 21; ++parts) {
        const PartSums single = part_sums(parts, parts, 0, 1);
        CHECK(single.sent == 1);
        CHECK(single.additions.empty());
        CHECK(std::size_t{1} << (single.slots - 1) <= parts);
    }
    // Halves of a tree over 8 parts, and what is left of its thirds.
    CHECK(part_sums(8, 8, 0, 2).sent == 1);
    CHECK(part_sums(8, 8, 1, 3).sent == 2);
}

namespace {

struct Column {
    double mean = 0, var = 0;
};

Column column_of(std::span<const float> x, double divisor) {
    Column made;
    for (const float number : x) {
        made.mean += static_cast<double>(number) / static_cast<double>(x.size());
    }
    for (const float number : x) {
        made.var += (static_cast<double>(number) - made.mean) * (static_cast<double>(number) - made.mean) / divisor;
    }
    return made;
}

// The moments of one column over `parts` parts of its rows, of which each has `positions` numbers.
std::vector<float> merged(std::span<const float> x, std::size_t positions, std::size_t parts, double divisor,
                          Group& group) {
    const std::size_t batch = x.size() / positions;
    SumOverParts sum(group, parts, 1, {batch, positions, divisor});
    const std::vector<OwnPart> own = part_sums(batch, parts, group.rank(), group.size()).own;
    for (std::size_t k = 0; k < own.size(); ++k) {
        const auto rows = x.subspan(own[k].rows.first * positions, own[k].rows.rows * positions);
        const Column part = column_of(rows, divisor);
        sum.share(k)[0] =
            static_cast<float>(part.mean * static_cast<double>(rows.size()) / static_cast<double>(x.size()));
        sum.share(k)[1] = static_cast<float>(part.var);
    }
    const std::span<const float> total = sum.total();
    return {total.begin(), total.end()};
}

}  // namespace

TEST_CASE("part sums: variances about the parts' means make that about the mean of all rows") {
    std::mt19937 random(7);
    for (const std::size_t positions : {1U, 3U}) {
        for (const float middle : {0.0F, 5.0F, -300.0F}) {
            std::vector<float> x(13 * positions);
            std::ranges::generate(
                x, [&, i = 0.0F]() mutable { return middle + networks::uniform(random, -1, 1) + (i += 0.1F); });
            const double divisor = static_cast<double>(x.size()) - 1;
            const auto [mean, var] = column_of(x, divisor);
            for (std::size_t parts = 1; parts <= 13; ++parts) {
                INFO(positions << " positions, mean " << mean << ", " << parts << " parts");
                Single one;
                const std::vector<float> single = merged(x, positions, parts, divisor, one);
                // A mean's rounding is half an ULP, and up to log₂ 13 of them are merged in a row.
                const double ulp = std::abs(mean) * 0x1p-23 + 0x1p-23;
                CHECK(std::abs(static_cast<double>(single[0]) - mean) <= 4 * ulp);
                CHECK(std::abs(static_cast<double>(single[1]) - var) <= 4 * ulp * std::sqrt(var) + 1e-6 * var);
                for (const std::size_t ranks : {2U, 3U, 5U, 15U}) {
                    const auto of_ranks = thread_ranks::of_each_rank(
                        ranks, [&](Group& group) { return merged(x, positions, parts, divisor, group); });
                    CHECK(std::ranges::count(of_ranks, single) == static_cast<std::ptrdiff_t>(ranks));
                }
            }
        }
    }
}
