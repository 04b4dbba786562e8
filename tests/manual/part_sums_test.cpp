// Sums of shares in the order of the tree.
#include "base/part_sums.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

#include "base/thread_ranks.h"
#include "manual/networks.h"

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
        for (std::size_t i = 0; i < part.additions; ++i) {
            slots.at(part.slot - i - 1) += slots.at(part.slot - i);
        }
    }
    float sum = 0;
    SharedSums message;
    message.add(&sum, 1);
    message.allocate(plan, group);
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
