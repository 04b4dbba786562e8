// What ranks must have alike, by ranks that are threads, and the cores that they share.
#include "ranks/agreement.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "ranks/connect.h"
#include "ranks/tests/thread_ranks.h"

using namespace byhand;

namespace {

// The message of the InputError that each rank ends with, or "".
template <class Work>
std::vector<std::string> refusals_of(std::size_t ranks, Work work) {
    std::vector<std::string> errors(ranks);
    thread_ranks::on_each(ranks, [&](Group& group) {
        try {
            work(group);
        } catch (const InputError& error) {
            errors[group.rank()] = error.what();
        }
    });
    return errors;
}

}  // namespace

TEST_CASE("agreement: the first rank and tensor that differ are named") {
    Tensors<float> same({{"W1", {3, 2}}, {"b1", {2}}});
    for (const char* name : {"W1", "b1"}) {
        std::ranges::fill(same[name], 0.7F);
    }
    Tensors<float> other = same;
    other["b1"][1] = std::nextafter(0.7F, 1.0F);
    const auto errors = refusals_of(3, [&](Group& group) {
        distributed::check_agreement(group, distributed::facts_of(same));
        distributed::check_agreement(group, distributed::facts_of(group.rank() == 2 ? other : same),
                                     "after 4711 steps ", ": the ranks no longer train one model");
    });
    for (const std::string& error : errors) {
        CHECK(error == "after 4711 steps rank 2 has another b1 than rank 0: the ranks no longer train one model");
    }
}

TEST_CASE("agreement: another command or network is refused, though it has other things alike") {
    const auto errors = refusals_of(2, [](Group& group) {
        std::vector<distributed::Fact> facts = {{"recipe", 7}};
        if (group.rank() == 1) {
            facts.push_back({"planted mistake", 3});
        }
        distributed::check_agreement(group, facts);
    });
    for (const std::string& error : errors) {
        CHECK(error == "rank 1 has another command or network than rank 0: start all ranks alike");
    }
}

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
