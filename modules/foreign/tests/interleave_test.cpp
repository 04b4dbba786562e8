#include "foreign/interleave.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstddef>
#include <vector>

using namespace byhand;

namespace {

// How far a loop of a hundred rounds was each time that something came between.
std::vector<int> rounds_between(const InterleaveConfig& config) {
    std::vector<int> rounds(10'000);
    std::size_t times = 0;
    volatile int round = 0;
    run_interleaved(
        [&] {
            while (round < 100) {
                round = round + 1;
            }
        },
        [&] { rounds[times++] = round; }, config);
    CHECK(round == 100);
    rounds.resize(times);
    return rounds;
}

}  // namespace

TEST_CASE("run_interleaved: at the same instructions each time, ever further apart, up to a limit") {
    if (!kInterleaves) {
        SKIP("this processor is not told to stop after each instruction");
    }
    const std::vector<int> rounds = rounds_between({});
    CHECK(rounds == rounds_between({}));
    CHECK(rounds.size() > 40);
    CHECK(rounds.front() == 0);
    CHECK(rounds.back() > 90);
    CHECK(rounds_between({.points = 5}).size() < rounds.size());
    CHECK(rounds_between({.most_instructions = 50}).back() < 20);
    CHECK(std::signal(SIGTRAP, SIG_DFL) == SIG_DFL);  // as before
}
