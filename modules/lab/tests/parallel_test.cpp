#include <catch2/catch_test_macros.hpp>
#include <stdexcept>
#include <vector>

#include "lab/training.h"

using byhand::lab::in_parallel;

TEST_CASE("every part is run once, and its end is told") {
    for (const std::size_t parts : {0U, 1U, 2U, 7U, 100U}) {
        std::vector<int> runs(parts, 0);
        std::vector<std::size_t> told;
        in_parallel(
            parts, [&](std::size_t part) { ++runs[part]; },
            [&](std::size_t done, std::size_t of) {
                CHECK(of == parts);
                told.push_back(done);
            });
        CHECK(runs == std::vector<int>(parts, 1));
        REQUIRE(told.size() == parts + 1);
        for (std::size_t i = 0; i <= parts; ++i) {
            CHECK(told[i] == i);
        }
    }
}

TEST_CASE("what a part throws is thrown, and the rest is left") {
    std::vector<int> runs(1000, 0);
    CHECK_THROWS_AS(in_parallel(
                        runs.size(),
                        [&](std::size_t part) {
                            ++runs[part];
                            throw std::runtime_error("no");
                        },
                        [](std::size_t, std::size_t) {}),
                    std::runtime_error);
    CHECK(runs.back() == 0);
}
