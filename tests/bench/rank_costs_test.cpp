// The model of what a step by several ranks costs, by hand-worked examples.
#include "bench/rank_costs.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <vector>

#include "ranks/tests/thread_ranks.h"

using namespace byhand;
using namespace byhand::bench;
using Catch::Matchers::WithinRel;

namespace {

constexpr Link kLink{30e-6, 2e-9};  // 30 µs, 0.5 GB/s

}  // namespace

TEST_CASE("rank costs: a message travels to each neighbour in turn") {
    // Four ranks: three times 30 µs and 5000 bytes at 2 ns.
    CHECK_THAT(message_seconds({Reduce::tree, 5000}, kLink, 4), WithinRel(3 * (30e-6 + 10e-6), 1e-12));
    // By the ring six times a quarter of it.
    CHECK_THAT(message_seconds({Reduce::ring, 5000}, kLink, 4), WithinRel(6 * (30e-6 + 2.5e-6), 1e-12));
    CHECK(message_seconds({Reduce::tree, 5000}, kLink, 1) == 0);
    CHECK(message_seconds({Reduce::ring, 5000}, kLink, 1) == 0);
}

TEST_CASE("rank costs: a step is what a rank computes, and its messages") {
    const RankCost cost{700e-6, {{Reduce::tree, 12}, {Reduce::tree, 1000}}};
    CHECK_THAT(step_seconds(cost, kLink, 3), WithinRel(700e-6 + 2 * (60e-6 + 1012 * 2e-9), 1e-12));
    CHECK(step_seconds({0.25, {}}, kLink, 3) == 0.25);
}

TEST_CASE("rank costs: the link is fitted to a short message and a long one") {
    const std::size_t ranks = 5;
    const Link fitted = link_of(ranks, 64, message_seconds({Reduce::tree, 64}, kLink, ranks), 100'000,
                                message_seconds({Reduce::tree, 100'000}, kLink, ranks));
    CHECK_THAT(fitted.latency, WithinRel(kLink.latency, 1e-9));
    CHECK_THAT(fitted.per_byte, WithinRel(kLink.per_byte, 1e-9));
    CHECK(link_of(2, 64, 1e-3, 1000, 0.9e-3).per_byte == 0);  // noise
}

TEST_CASE("rank costs: a counting group passes messages on and counts their bytes") {
    const auto of_ranks = thread_ranks::of_each_rank(3, [](Group& group) {
        CountingGroup counting(&group, group.rank(), group.size(), Reduce::tree);
        const float own = 1.5F * static_cast<float>(group.rank());
        std::vector<float> all(3), sum = {own, -own};
        counting.gather(all, {&own, 1});
        counting.add(sum);
        all.insert(all.end(), sum.begin(), sum.end());
        for (const Message& message : counting.messages()) {
            all.push_back(static_cast<float>(message.bytes));
        }
        all.push_back(counting.seconds() > 0 ? 1 : 0);
        counting.forget();
        all.push_back(counting.messages().empty() && counting.seconds() == 0 ? 1 : 0);
        return all;
    });
    for (const std::vector<float>& numbers : of_ranks) {
        CHECK(numbers == std::vector<float>{0, 1.5F, 3, 4.5F, -4.5F, 4, 8, 1, 1});
    }
}

TEST_CASE("rank costs: without a group a rank takes its own numbers for those of the others") {
    CountingGroup alone(nullptr, 2, 4, Reduce::ring);
    CHECK(alone.rank() == 2);
    CHECK(alone.size() == 4);
    CHECK(alone.adds());
    std::vector<float> own = {1, -2}, all(8);
    alone.gather(all, own);
    CHECK(all == std::vector<float>{1, -2, 1, -2, 1, -2, 1, -2});
    alone.add(own);
    CHECK(own == std::vector<float>{1, -2});
    CHECK(alone.messages() == std::vector<Message>{{Reduce::tree, 8}, {Reduce::ring, 8}});
}
