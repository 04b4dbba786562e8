// The ranks of a network in parts, each held to one process: right ones agree to the bit, and a mistake of data
// parallelism is found where it was made.
#include "ranks/ranks.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/parts.h"
#include "checks/faults/mistakes.h"
#include "fast/tests/layers.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "ranks/joined_graph.h"
#include "steps/runner.h"

using namespace byhand;

namespace {

constexpr float kRate = 0.3F;
constexpr std::size_t kRows = 33;

using Names = std::set<std::string>;

// With a running variance by another divisor than the batch's, two norms, and dropout.
NetworkConfig with_everything() {
    NetworkConfig config = networks::small({17, 5});
    config.optimizer = {.momentum = 0.6, .nesterov = true};
    config.norm.batch_divisor = Divisor::n_minus_1;
    config.norm.running_divisor = Divisor::n;
    return with_layers(config,
                       test::layers("linear 17, batchnorm, gelu, dropout 0.3, linear 5, batchnorm, tanh, linear"));
}

std::vector<NetworkConfig> some_networks() {
    NetworkConfig with_norm = networks::small({9});
    test::set(with_norm, &ShortForm::norm_place, "before");
    return {networks::small({7}), with_norm, with_everything()};
}

// Two steps, of different batches.
std::vector<IsolatedStep> judged(Ranks& ranks, const NetworkConfig& config) {
    std::vector<IsolatedStep> all;
    for (const unsigned seed : {7U, 8U}) {
        const networks::Example example = networks::make(config, kRows, seed);
        ranks.load(example.state);
        ranks.run(example.batch(), kRate);
        ranks.judge(all);
    }
    return all;
}

Names names_of(const std::vector<IsolatedStep>& steps) {
    Names names;
    for (const IsolatedStep& step : steps) {
        names.insert(step.makes);
    }
    return names;
}

bool is_one_of_ranks(const Mistake& mistake) {
    return mistake.plant_in_rank != nullptr;
}

}  // namespace

TEST_CASE("ranks: right ones hold the bits of one process, in every form") {
    struct Case {
        std::string model;
        std::vector<std::size_t> parts, ranks;
    };
    for (const Case& one :
         {Case{"stepwise", {1, 5, 8, 33}, {1, 2, 3, 11}}, {"collapsed", {5, 33}, {2, 7}}, {"fused", {5, 33}, {2, 7}}}) {
        for (const NetworkConfig& config : some_networks()) {
            for (const std::size_t parts : one.parts) {
                for (const std::size_t ranks : one.ranks) {
                    INFO(one.model << ", " << test::widths(config).size() << " layers, " << parts << " parts, " << ranks
                                   << " ranks");
                    const RanksOnThreads all = ranks_on_threads(nullptr, config, kRows, parts, ranks, one.model);
                    CHECK(names_of(judged(*all.ranks, config)).empty());
                    const RankSummary summary = all.ranks->summary();
                    const std::vector<View> views = all.ranks->views();
                    CHECK(summary.different.empty());
                    CHECK(summary.values == views.size());
                    CHECK(summary.ranks == ranks);
                    CHECK(summary.model == one.model);
                    for (const char* name : {"logits", "loss", "dW1", "dC", "new_W1"}) {
                        CHECK(find(views, name) != nullptr);
                    }
                }
            }
        }
    }
}

TEST_CASE("ranks: the first value with other bits is named, with its rank") {
    const NetworkConfig config = networks::small({7});
    const Graph whole = stepwise_graph(config, kRows);
    const RanksOnThreads alone = ranks_on_threads(nullptr, config, kRows, 5, 1, "fused");
    judged(*alone.ranks, config);
    const RankValues one = alone.ranks->in_ranks().values();
    std::vector<IsolatedStep> isolated;
    judge_bits(isolated, whole, std::span(&one, 1), one);
    CHECK(isolated.empty());

    std::vector<RankValues> changed = {one, {{}, one.shared}};
    changed[1].shared["new_W1"][2] *= -1;
    changed[1].shared["dW1"][3] += 0.25F;
    judge_bits(isolated, whole, changed, one);
    REQUIRE(isolated.size() == 1);
    CHECK(isolated.front().makes == "dW1");
    CHECK(isolated.front().wrong());
    CHECK(isolated.front().on_batch().note == "rank 1: other bits than on one process");

    // A share, though the sum is right.
    const RanksOnThreads collapsed = ranks_on_threads(nullptr, config, kRows, 5, 1, "collapsed");
    judged(*collapsed.ranks, config);
    const RankValues right = collapsed.ranks->in_ranks().values();
    RankValues wrong = right;
    wrong.parts[3].shares["dW1"][1] += 0.25F;
    isolated.clear();
    judge_bits(isolated, whole, std::span(&wrong, 1), right);
    REQUIRE(isolated.size() == 1);
    CHECK(isolated.front().makes == "dW1");
    CHECK(isolated.front().on_batch().note == "the parts' shares: other bits than on one process");

    changed.front().parts.front().rows["h"][4] += 0.25F;
    isolated.clear();
    judge_bits(isolated, whole, changed, one);
    REQUIRE(isolated.size() == 1);
    CHECK(isolated.front().makes == "h");
}

TEST_CASE("ranks: a network whose steps are joined makes the values of the ranks") {
    for (const NetworkConfig& config : some_networks()) {
        const networks::Example example = networks::make(config, kRows);
        const std::vector<BatchPart> parts = parts_of(kRows, 5);
        std::vector<Graph> graphs;
        for (const BatchPart& part : parts) {
            graphs.push_back(hand_graph(HandForm::stepwise, config, part));
        }
        Runner<float> runner(joined(stepwise_graph(config, kRows), parts, graphs));
        copy_into(runner.tensors(), example.state);
        runner.set_batch(example.batch());
        runner.set_rate(kRate);
        runner.forward();
        runner.backward();
        runner.update();
        const RanksOnThreads all = ranks_on_threads(nullptr, config, kRows, 5, 3);
        all.ranks->load(example.state);
        all.ranks->run(example.batch(), kRate);
        for (const View& view : all.ranks->views()) {
            INFO(view.name);
            const std::span<const float> same = runner.tensors()[view.name];
            CHECK(std::memcmp(view.data, same.data(), same.size_bytes()) == 0);
        }
    }
}

TEST_CASE("ranks: every mistake of data parallelism is found in the values that it spoils, and in no other") {
    for (const Mistake& mistake : mistakes()) {
        if (!is_one_of_ranks(mistake)) {
            continue;
        }
        std::size_t applied = 0;
        for (const NetworkConfig& config : some_networks()) {
            for (const std::size_t parts : {5U, 33U}) {
                RanksOnThreads all = ranks_on_threads(&mistake, config, kRows, parts, 3);
                if (all.culprits.empty()) {
                    continue;
                }
                ++applied;
                INFO(mistake.name << " in " << parts << " parts");
                CHECK(names_of(judged(*all.ranks, config)) == Names(all.culprits.begin(), all.culprits.end()));
                CHECK_FALSE(all.ranks->summary().different.empty());
            }
        }
        INFO(mistake.name);
        CHECK(applied > 0);
    }
}

TEST_CASE("ranks: no mistake of data parallelism applies to one rank, or to the steps") {
    for (const Mistake& mistake : mistakes()) {
        if (is_one_of_ranks(mistake)) {
            INFO(mistake.name);
            CHECK(ranks_on_threads(&mistake, with_everything(), kRows, 5, 1).culprits.empty());
            Graph graph = stepwise_graph(with_everything(), kRows);
            CHECK(mistake.plant(graph).empty());
        }
    }
}

TEST_CASE("ranks: the first place that is wrong is named by rank, part and rows") {
    const auto note_of = [](const char* mistake, const char* value) {
        NetworkConfig config = with_everything();
        config.norm.batch_divisor = Divisor::n;
        config.norm.running_divisor = Divisor::n_minus_1;
        const RanksOnThreads all = ranks_on_threads(find_mistake(mistake), config, kRows, 5, 3);
        const std::vector<IsolatedStep> steps = judged(*all.ranks, config);
        const auto found = std::ranges::find(steps, value, &IsolatedStep::makes);
        REQUIRE(found != steps.end());
        CHECK(found->wrong());
        return found->on_batch().note + (found->on_batch().hint.empty() ? "" : "; " + found->on_batch().hint);
    };
    CHECK(note_of("same-rows-on-all-ranks", "X").starts_with("on rank 1 part 1 is not rows 6 to 12 of the batch"));
    CHECK(note_of("parameters-not-broadcast", "W1").starts_with("rank 1 begins the step with another W1"));
    CHECK(note_of("mean-of-means", "loss").starts_with("wrong is the share of part 0, rows 0 to 5, on rank 0"));
    CHECK(note_of("running-variance-by-own-rows", "new_bnvar_running.1")
              .starts_with("wrong on rank 0, from values without rows"));
    CHECK(note_of("norm-gradients-reduced-twice", "dbngain.1")
              .starts_with("wrong is the sum of the parts' shares, on rank 0"));
    CHECK(note_of("norm-gradients-reduced-twice", "dbngain.1").ends_with("off by the factor 3 = the number of ranks"));
}
