#include "foreign/interleave.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstddef>
#include <vector>

using namespace byhand;

namespace {

// How far a loop of so many rounds was each time that something came between.
std::vector<int> rounds_between(int all) {
    std::vector<int> rounds(10'000);
    std::size_t times = 0;
    volatile int round = 0;
    run_interleaved(
        [&] {
            while (round < all) {
                round = round + 1;
            }
        },
        [&] { rounds[times++] = round; });
    CHECK(round == all);
    rounds.resize(times);
    return rounds;
}

}  // namespace

TEST_CASE("run_interleaved: at the same instructions each time, ever further apart, up to a limit") {
    if (!kInterleaves) {
        SKIP("this processor is not told to stop after each instruction");
    }
    const std::vector<int> rounds = rounds_between(100), of_many = rounds_between(10'000);
    CHECK(rounds == rounds_between(100));
    CHECK(rounds.size() > 40);
    CHECK(rounds.front() == 0);
    CHECK(rounds.back() > 90);
    REQUIRE(of_many.size() > 150);
    CHECK(of_many.end()[-1] - of_many.end()[-51] > 2 * (of_many[50] - of_many[0]));
    CHECK(of_many.back() < 4000);
    CHECK(std::signal(SIGTRAP, SIG_DFL) == SIG_DFL);  // as before
}
