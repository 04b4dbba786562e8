#include "bench/rounds.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <chrono>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

using namespace byhand;
using Catch::Matchers::WithinAbs;

TEST_CASE("rounds: a spread is the median, the 10th and the 90th percentile") {
    const bench::Spread spread = bench::spread({11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6});
    CHECK(spread.median == 6);
    CHECK(spread.p10 == 2);
    CHECK(spread.p90 == 10);
}

TEST_CASE("rounds: a ratio is the median of the rounds' ratios, not the ratio of the medians") {
    // 4/1, 6/3, 20/2: the median is 4, whereas the medians give 6/2.
    const bench::Spread ratio = bench::ratio({4, 6, 20}, {1, 3, 2});
    CHECK(ratio.median == 4);
    CHECK_THAT(ratio.p10, WithinAbs(2 + 0.2 * 2, 1e-12));
    CHECK_THAT(ratio.p90, WithinAbs(4 + 0.8 * 6, 1e-12));
}

namespace {

// Implementations that sleep and record the order of turns.
struct TurnLog {
    std::string order;
    std::vector<std::size_t> ours, theirs;

    bench::Steps implementation(char name, std::vector<std::size_t>& turns) {
        return [this, name, &turns](std::size_t steps) {
            order += name;
            turns.push_back(steps);
            std::this_thread::sleep_for(std::chrono::microseconds(100 * steps));
        };
    }
};

std::size_t sum(const std::vector<std::size_t>& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), std::size_t{0});
}

}  // namespace

TEST_CASE("rounds: both are first equally often, and run equally many steps") {
    TurnLog log;
    const bench::Rounds rounds =
        bench::in_turn(log.implementation('o', log.ours), log.implementation('t', log.theirs), 4);
    // A turn is one step and then the timed ones.
    const std::string timed = "oottttoooottttoo";
    REQUIRE(log.order.size() > timed.size());
    CHECK(log.order.ends_with(timed));
    CHECK(log.order.substr(0, log.order.size() - timed.size()).find("tt") == std::string::npos);  // the warm-up
    CHECK(log.ours[log.ours.size() - 2] == 1);
    CHECK(log.ours == log.theirs);
    CHECK(rounds.ours.seconds.size() == 4);
    CHECK(rounds.theirs.seconds.size() == 4);
    CHECK(rounds.total == sum(log.ours));
    CHECK(rounds.steps == log.ours.back());
    // Sleeping takes at least as long as requested: two milliseconds per turn.
    CHECK(rounds.steps >= 1);
    for (const double seconds : rounds.ours.seconds) {
        CHECK(seconds >= 100e-6);
    }
    CHECK(rounds.ours.cpus() >= 0);
}

TEST_CASE("rounds: each implementation follows each other one equally often") {
    TurnLog log;
    std::vector<std::size_t> turns;
    std::vector<bench::Steps> peers;
    for (const char name : {'a', 'b', 'c'}) {
        peers.push_back(log.implementation(name, turns));
    }
    constexpr std::size_t kRounds = 20;  // five that can be first, in four orders
    bench::in_turn(log.implementation('o', log.ours), log.implementation('t', log.theirs), kRounds, 1, peers);
    std::map<std::string, int> pairs;
    const std::size_t of_a_round = 2 * 5;
    for (std::size_t round = 0; round < kRounds; ++round) {
        const std::string order = log.order.substr(log.order.size() - (kRounds - round) * of_a_round, of_a_round);
        for (std::size_t i = 2; i < of_a_round; i += 2) {
            ++pairs[{order[i - 2], order[i]}];
        }
    }
    CHECK(pairs.size() == 5 * 4);
    for (const auto& [pair, count] : pairs) {
        INFO(pair);
        CHECK(count == 4);
    }
}

TEST_CASE("rounds: one implementation is timed without the other, and busy processors are counted") {
    TurnLog log;
    const bench::Rounds rounds = bench::in_turn(log.implementation('o', log.ours), nullptr, 3);
    CHECK(rounds.ours.seconds.size() == 3);
    CHECK(rounds.theirs.seconds.empty());
    CHECK(rounds.total == sum(log.ours));
    CHECK(rounds.ours.cpus() < 0.9);  // sleeping needs almost no processor
}
