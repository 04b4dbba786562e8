// Which cores the ranks of a machine run on.
#include "ranks/cores.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

using namespace byhand;

TEST_CASE("cores: the ranks of a machine share its cores out, and take turns if there are too few") {
    const std::vector<std::size_t> cores = {0, 2, 3, 5, 7};
    using Share = std::vector<std::size_t>;
    CHECK(cores_of_rank(cores, 0, 1) == cores);
    CHECK(cores_of_rank(cores, 0, 2) == Share{0, 2});
    CHECK(cores_of_rank(cores, 1, 2) == Share{3, 5, 7});
    CHECK(cores_of_rank(cores, 4, 5) == Share{7});
    CHECK(cores_of_rank(cores, 6, 8) == Share{2});
    CHECK(cores_of_rank({}, 1, 2).empty());
}

TEST_CASE("cores: a thread that is bound, and those that it starts, run on that core only") {
    const std::vector<std::size_t> all = cores_there();
    REQUIRE_FALSE(all.empty());
    std::vector<std::size_t> bound, started;
    std::thread([&] {
        bind_to_cores({all.back()});
        bound = cores_there();
        std::thread([&] { started = cores_there(); }).join();
    }).join();
    CHECK(bound == std::vector{all.back()});
    CHECK(started == bound);
    CHECK(cores_there() == all);
}
