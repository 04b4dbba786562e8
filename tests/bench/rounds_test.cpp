#include "bench/rounds.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace byhand;
using Catch::Matchers::WithinAbs;

TEST_CASE("a spread is the median and the tenths") {
    const bench::Spread spread = bench::spread({11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6});
    CHECK(spread.median == 6);
    CHECK(spread.p10 == 2);
    CHECK(spread.p90 == 10);
}

TEST_CASE("a ratio is that of each round, not of the medians") {
    // 4/1, 6/3, 20/2: in the middle 4, where the medians would give 6/2.
    const bench::Spread ratio = bench::ratio({4, 6, 20}, {1, 3, 2});
    CHECK(ratio.median == 4);
    CHECK_THAT(ratio.p10, WithinAbs(2 + 0.2 * 2, 1e-12));
    CHECK_THAT(ratio.p90, WithinAbs(4 + 0.8 * 6, 1e-12));
}

namespace {

// Sides that take a while and write down whose turn it was.
struct Told {
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
    std::size_t total = 0;
    for (const std::size_t number : numbers) {
        total += number;
    }
    return total;
}

}  // namespace

TEST_CASE("both sides go first as often, and make as many steps") {
    Told told;
    const bench::Rounds rounds =
        bench::in_turn(told.implementation('o', told.ours), told.implementation('t', told.theirs), 4);
    // A turn is one step and then those that are timed.
    const std::string timed = "oottttoooottttoo";
    REQUIRE(told.order.size() > timed.size());
    CHECK(told.order.ends_with(timed));
    CHECK(told.order.substr(0, told.order.size() - timed.size()).find("tt") == std::string::npos);  // the warm-up
    CHECK(told.ours[told.ours.size() - 2] == 1);
    CHECK(told.ours == told.theirs);
    CHECK(rounds.ours.seconds.size() == 4);
    CHECK(rounds.theirs.seconds.size() == 4);
    CHECK(rounds.total == sum(told.ours));
    CHECK(rounds.steps == told.ours.back());
    // A sleeper lasts as long as it says at least: two milliseconds a turn.
    CHECK(rounds.steps >= 1);
    for (const double seconds : rounds.ours.seconds) {
        CHECK(seconds >= 100e-6);
    }
    CHECK(rounds.ours.cpus >= 0);
}

TEST_CASE("one side can be timed alone") {
    Told told;
    const bench::Rounds rounds = bench::in_turn(told.implementation('o', told.ours), nullptr, 3);
    CHECK(rounds.ours.seconds.size() == 3);
    CHECK(rounds.theirs.seconds.empty());
    CHECK(rounds.total == sum(told.ours));
}

TEST_CASE("processors that are kept busy are counted") {
    // One thread that computes: more than half a processor even on a busy machine would be a wager, but a sleeper needs
    // next to none.
    Told told;
    CHECK(bench::in_turn(told.implementation('o', told.ours), nullptr, 3).ours.cpus < 0.9);
}
