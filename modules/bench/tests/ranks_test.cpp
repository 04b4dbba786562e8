// A training step by several ranks, which are threads here.
#include "bench/ranks.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "bench/counting_group.h"
#include "bench/report.h"
#include "ranks/tests/thread_ranks.h"
#include "ranks/thread_group.h"
#include "report/writers.h"
#include "train/small_run.h"

using namespace byhand;
using namespace byhand::bench;

namespace {

constexpr std::size_t kNumbers[] = {1, 2, 3}, kParts = 5, kRounds = 3;

// The places where the ranks of each number meet.
struct Places {
    std::vector<std::unique_ptr<MeetingPoint>> all;
    Places() {
        for (const std::size_t ranks : kNumbers) {
            all.push_back(std::make_unique<MeetingPoint>(ranks));
        }
    }
    std::vector<RankGroup> of(std::size_t rank) const {
        std::vector<RankGroup> groups;
        for (std::size_t i = 0; i < std::size(kNumbers); ++i) {
            groups.push_back({kNumbers[i], nullptr});
            if (kNumbers[i] > 1 && rank < kNumbers[i]) {
                groups.back().group = std::make_unique<ThreadGroup>(*all[i], rank);
            }
        }
        return groups;
    }
};

RankResult measured() {
    const Places places;
    const Run run = small_run::run();
    RankResult result;
    thread_ranks::on_each(3, [&](Group& all) {
        const std::vector<RankGroup> groups = places.of(all.rank());
        RankResult own = rank_times(run, kParts, all, groups, nullptr, kRounds, 1e-5);
        if (all.rank() == 0) {
            result = std::move(own);
        }
    });
    return result;
}

}  // namespace

TEST_CASE("ranks: a counting group passes messages on and counts their bytes") {
    const auto of_ranks = thread_ranks::of_each_rank(3, [](Group& group) {
        CountingGroup counting(group);
        const std::vector<float> own = {1.5F * static_cast<float>(group.rank()), -2};
        std::vector<float> all(6), later(3);
        counting.gather(all, own);
        counting.start_gather(later, std::span(own).first(1));
        counting.finish();
        all.insert(all.end(), later.begin(), later.end());
        all.push_back(static_cast<float>(counting.messages()));
        all.push_back(static_cast<float>(counting.bytes()));
        all.push_back(counting.seconds() > 0 ? 1 : 0);
        counting.forget();
        all.push_back(counting.messages() == 0 && counting.bytes() == 0 && counting.seconds() == 0 ? 1 : 0);
        return all;
    });
    for (const std::vector<float>& numbers : of_ranks) {
        CHECK(numbers == std::vector<float>{0, -2, 1.5F, -2, 3, -2, 0, 1.5F, 3, 2, 12, 1, 1});
    }
}

TEST_CASE("ranks: each number of ranks is measured, with the same loss") {
    const RankResult result = measured();
    CHECK(result.rounds == kRounds);
    CHECK(result.agree);
    REQUIRE(result.times.size() == 4);
    const RankTimes &whole = result.times[0], &one = result.times[1], &three = result.times[3];
    CHECK(whole.parts == 1);
    CHECK(whole.gain == 1);
    CHECK(one.ranks == 1);
    CHECK(one.parts == kParts);
    CHECK(one.messages == 0);
    CHECK(three.ranks == 3);
    // A network with one batch norm: its mean and variance, its dγ and dβ, the loss with all other gradients.
    CHECK(three.messages == 3);
    CHECK(three.exchanging > 0);
    CHECK(three.exchanging < 1);
    CHECK(three.gain == whole.seconds.median / three.seconds.median);
    CHECK_FALSE(three.torch_seconds);
}

TEST_CASE("ranks: the report has a row for each number of ranks, a sweep a line, and one header") {
    const RankResult result = measured();
    const Document document = document_of({"A CPU", "AVX2", 1, 100, "", ""}, "small", true, result);
    const Json& json = document.data;
    CHECK(json["recipe"] == "small");
    CHECK(json["conventions"] == "torch");
    CHECK(json["rounds"] == kRounds);
    CHECK(json["agree"] == true);
    REQUIRE(json["ranks"].size() == 4);
    const Json three = json["ranks"][3];
    CHECK(three["ranks"] == 3);
    CHECK(three["parts"] == kParts);
    CHECK(three["messages"] == 3);
    CHECK(three["bytes"].get<std::size_t>() % sizeof(float) == 0);
    CHECK(std::abs(three["step_us"].get<double>() - result.times[3].seconds.median * 1e6) < 1e-6);
    CHECK(three["torch_step_us"].is_null());
    const std::string text = to_text(document);
    CHECK(text.find("A training step of small by several ranks") != std::string::npos);
    const std::string lines = csv_lines(64, result, true), more = csv_lines(128, result, false);
    CHECK(lines.starts_with("value,ranks,parts,step_us,gain,"));
    CHECK(std::ranges::count(lines, '\n') == 5);
    CHECK(more.starts_with("128,1,1,"));
    CHECK(std::ranges::count(more, '\n') == 4);
}
