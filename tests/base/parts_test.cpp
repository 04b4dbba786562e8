// The parts of a batch and of a rank, and sums over all parts.
#include "base/parts.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <vector>

#include "ranks/tests/thread_ranks.h"

using namespace byhand;
using thread_ranks::kRanks;

TEST_CASE("parts: every row is in one part, and their sizes differ by at most one") {
    for (const std::size_t rows : {1U, 2U, 7U, 8U, 33U, 4099U}) {
        for (const std::size_t parts : {1U, 2U, 3U, 7U, 8U}) {
            if (parts > rows) {
                continue;
            }
            std::size_t next = 0, fewest = rows, most = 0;
            for (const BatchPart& part : parts_of(rows, parts)) {
                CHECK(part.first == next);
                CHECK(part.batch == rows);
                fewest = std::min(fewest, part.rows);
                most = std::max(most, part.rows);
                next += part.rows;
            }
            CHECK(next == rows);
            CHECK(fewest > 0);
            CHECK(most - fewest <= 1);
        }
    }
}

TEST_CASE("parts: every part belongs to one rank, and none has more than its share") {
    for (const std::size_t parts : {1U, 5U, 8U}) {
        for (const std::size_t ranks : kRanks) {
            std::size_t next = 0;
            for (std::size_t rank = 0; rank < ranks; ++rank) {
                const PartsOfRank some = parts_of_rank(parts, rank, ranks);
                CHECK(some.first == next);
                CHECK(some.count() <= (parts + ranks - 1) / ranks);
                next = some.last;
            }
            CHECK(next == parts);
        }
    }
}

TEST_CASE("parts: the sum over parts is added pairwise, on every rank, without the shares that belong to no part") {
    // 2^24 + 1 is no float, so the result tells the order: ((2^24 + 1) + (1 + 1)) + 1/2.
    const std::vector<float> shares = {0x1p24F, 1, 1, 1, 0.5F};
    for (const std::size_t ranks : kRanks) {
        for (const std::vector<float>& total : thread_ranks::of_each_rank(ranks, [&](Group& group) {
                 SumOverParts sum(group, shares.size(), 2);
                 std::ranges::fill(sum.share(0), 1000.0F);
                 const PartsOfRank own = parts_of_rank(shares.size(), group.rank(), group.size());
                 for (std::size_t k = 0; k < own.count(); ++k) {
                     sum.share(k)[0] = shares[own.first + k];
                     sum.share(k)[1] = -shares[own.first + k];
                 }
                 const std::span<const float> all = sum.total();
                 return std::vector<float>(all.begin(), all.end());
             })) {
            CHECK(total == std::vector{0x1p24F + 2, -0x1p24F - 2});
        }
    }
}
