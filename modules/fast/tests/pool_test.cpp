#include "fast/pool.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <vector>

using byhand::Pool;

TEST_CASE("pool: every task runs once, for any number of tasks and threads, round after round") {
    for (const std::size_t threads : {1, 2, 3, 7}) {
        Pool pool(threads);
        CHECK(pool.threads() == threads);
        for (std::size_t round = 0; round < 300; ++round) {
            const std::size_t tasks = round % 23;
            std::vector<std::atomic<int>> done(tasks);
            std::atomic<bool> known = true;
            pool.run(tasks, [&](std::size_t task, std::size_t thread) {
                ++done[task];
                known = known && thread < threads;
            });
            CHECK(known);
            for (const std::atomic<int>& times : done) {
                REQUIRE(times == 1);
            }
        }
    }
}

TEST_CASE("pool: a task's writes are visible when run returns, and tasks see earlier writes") {
    Pool pool(2);
    std::vector<int> numbers(1000, 0);  // no atomics: run orders all accesses
    for (int round = 1; round <= 50; ++round) {
        pool.run(numbers.size(), [&](std::size_t task, std::size_t) { numbers[task] += round; });
        for (int& number : numbers) {
            number -= round - 1;
        }
    }
    CHECK(numbers == std::vector<int>(1000, 50));
}

TEST_CASE("pool: threads that never ran a task end") {
    for (int i = 0; i < 20; ++i) {
        Pool pool(3);
    }
    SUCCEED();
}
