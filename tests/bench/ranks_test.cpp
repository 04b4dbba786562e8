// A training step by several ranks, which are threads here.
#include "bench/ranks.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "base/parsed_json.h"
#include "bench/ranks_report.h"
#include "ranks/tests/thread_ranks.h"
#include "ranks/thread_group.h"
#include "report/text.h"
#include "train/small_run.h"

using namespace byhand;
using namespace byhand::bench;

namespace {

constexpr std::size_t kNumbers[] = {1, 2, 3}, kParts = 5, kRounds = 3;

// The places where the ranks of each number meet.
struct Places {
    std::vector<std::unique_ptr<MeetingPoint>> tree, ring;
    Places() {
        for (const std::size_t ranks : kNumbers) {
            tree.push_back(std::make_unique<MeetingPoint>(ranks));
            ring.push_back(std::make_unique<MeetingPoint>(ranks));
        }
    }
    std::vector<RankGroups> of(std::size_t rank) const {
        std::vector<RankGroups> groups;
        for (std::size_t i = 0; i < std::size(kNumbers); ++i) {
            groups.push_back({kNumbers[i], nullptr, nullptr});
            if (kNumbers[i] > 1 && rank < kNumbers[i]) {
                groups.back().tree = std::make_unique<ThreadGroup>(*tree[i], rank);
                groups.back().ring = std::make_unique<ThreadGroup>(*ring[i], rank, Reduce::ring);
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
        const std::vector<RankGroups> groups = places.of(all.rank());
        RankResult own = rank_times(run, kParts, all, groups, nullptr, kRounds, 1e-5);
        if (all.rank() == 0) {
            result = std::move(own);
        }
    });
    return result;
}

}  // namespace

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
    CHECK(one.cost.messages.empty());
    CHECK_FALSE(one.predicted);
    CHECK(three.ranks == 3);
    // A network with one batch norm: its mean and variance, its dγ and dβ, the loss with all other gradients.
    CHECK(three.cost.messages.size() == 3);
    CHECK(three.cost.compute > 0);
    CHECK(three.exchanging > 0);
    CHECK(three.exchanging < 1);
    CHECK(three.gain == whole.seconds.median / three.seconds.median);
    CHECK(*three.predicted == step_seconds(three.cost, three.link, 3));
    CHECK(three.ring_seconds->median > 0);
    CHECK_FALSE(three.torch_seconds);
    REQUIRE(result.machines.size() == 6);
    const MachinesCost& machines = result.machines[2];
    CHECK(machines.machines == 8);
    CHECK(machines.parts == 16);  // as many as the batch has rows
    CHECK(machines.tree.messages.size() == 3);
    CHECK(machines.ring.messages.size() == 3);
}

TEST_CASE("ranks: the report has a row for each number of ranks, and one for each number of machines") {
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
    CHECK(json["ranks"][0]["predicted_us"].is_null());
    CHECK(json["predictions"].size() == 6);
    CHECK(json["predictions"][5]["machines"] == 64);
    const std::string text = to_text(document);
    CHECK(text.find("A training step of small by several ranks") != std::string::npos);
    CHECK(text.find("Predicted, not measured") != std::string::npos);
}

TEST_CASE("ranks: a sweep has a line for each number of ranks, and one header") {
    const RankResult result = measured();
    const std::string lines = csv_lines(64, result, true), more = csv_lines(128, result, false);
    CHECK(lines.starts_with("value,ranks,parts,step_us,gain,"));
    CHECK(std::ranges::count(lines, '\n') == 5);
    CHECK(more.starts_with("128,1,1,"));
    CHECK(std::ranges::count(more, '\n') == 4);
}
