#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "harness/end_to_end/comparison.h"
#include "harness/fake_implementation.h"
#include "harness/hand_made.h"

using namespace byhand;
using test::FakeImplementation;
using test::Heard;
using test::least_table;
using test::small_network;

namespace {

constexpr std::size_t kRows = 3;

// Two candidates and three references, whose parameters each grow by an amount of their own a step.
struct Arena {
    NetworkConfig config = small_network();
    Heard first, second, stepwise, module, oracle;
    Candidates candidates;
    ReferenceModels reference;
    std::vector<std::int64_t> X = std::vector<std::int64_t>(kRows), Y = X;
    std::vector<std::size_t> drawn;  // the steps a batch was asked for
    std::vector<ComparedStep> seen;

    std::unique_ptr<FakeImplementation> implementation(Heard& heard, float gain, float made = 1,
                                                       const std::string& without = "") const {
        std::vector<TensorSpec> table = least_table(config, kRows);
        std::erase_if(table, [&](const TensorSpec& spec) { return spec.name == without; });
        return std::make_unique<FakeImplementation>(config, table, heard, gain, made);
    }

    // Without steps that can run in isolation.
    static std::unique_ptr<Candidate> candidate(const std::string& model, std::unique_ptr<Model> implementation,
                                                Coverage coverage) {
        const Isolation isolation{.right = {{}, std::make_shared<test::FakeReferenceOperations>()}};
        auto candidate = std::make_unique<StepCandidate>(model, std::move(implementation), Graph(), nullptr, isolation);
        candidate->coverage = coverage;
        return candidate;
    }

    Arena() {
        candidates.push_back(candidate("stepwise", implementation(first, 1), Coverage::everything));
        candidates.push_back(candidate("fused", implementation(second, 2), Coverage::required));
        reference = {implementation(stepwise, 4, 3), implementation(module, 8), implementation(oracle, 16)};
    }

    std::vector<Heard*> all_heard() { return {&first, &second, &stepwise, &module, &oracle}; }

    ChainModel chain;  // without steps: no name has a limit, none may differ
    std::size_t from = 0;
    float begin = 100, rate = 0.5;  // of the parameters, the first step's

    void run(std::size_t steps, std::size_t every, bool drift) {
        Tensors<float> initial(state(config));
        for (const TensorSpec& spec : initial.table()) {
            test::count_from(initial, spec.name, begin);
        }
        const Schedule schedule{.steps = steps,
                                .every = every,
                                .from = from,
                                .drift = drift,
                                .batch =
                                    [this](std::size_t step) {
                                        drawn.push_back(step);
                                        X[0] = static_cast<std::int64_t>(10 * step);
                                        return Batch{kRows, X.data(), Y.data()};
                                    },
                                .rate = [this](std::size_t step) { return rate + static_cast<float>(step); }};
        run_comparison(config, initial, schedule, candidates, reference, chain,
                       [this](const ComparedStep& step) { seen.push_back(step); });
    }
};

std::vector<std::size_t> steps_seen(std::size_t steps, std::size_t every, std::size_t from = 0) {
    Arena arena;
    arena.from = from;
    arena.run(steps, every, false);
    CHECK(arena.drawn.size() == steps);  // each is taken all the same
    std::vector<std::size_t> seen;
    std::ranges::transform(arena.seen, std::back_inserter(seen), &ComparedStep::step);
    return seen;
}

Finding result_of(const ComparedStep& step, const std::string& model, const std::string& reference,
                  const std::string& name) {
    for (const ChainFinding& found : findings(step)) {
        if (found.model.model == model && to_string(found.against) == reference && found.value.name == name) {
            return found.finding;
        }
    }
    FAIL("no " << model << " against " << reference << ": " << name);
    return {};
}

Verdict verdict_of(const ComparedStep& step, const std::string& model, const std::string& reference,
                   const std::string& name) {
    return result_of(step, model, reference, name).verdict;
}

using Steps = std::vector<std::size_t>;

}  // namespace

TEST_CASE("every K-th step from the first wanted one is compared, and the last") {
    CHECK(steps_seen(1, 1) == Steps{0});
    CHECK(steps_seen(1, 5) == Steps{0});
    CHECK(steps_seen(4, 1) == Steps{0, 1, 2, 3});
    CHECK(steps_seen(10, 4) == Steps{0, 4, 8, 9});
    CHECK(steps_seen(9, 4) == Steps{0, 4, 8});
    CHECK(steps_seen(5, 100) == Steps{0, 4});
    CHECK(steps_seen(0, 1).empty());
    // None before the first that is wanted, but for the last.
    CHECK(steps_seen(5, 1, 4) == Steps{4});
    CHECK(steps_seen(6, 1, 3) == Steps{3, 4, 5});
    CHECK(steps_seen(10, 4, 3) == Steps{4, 8, 9});
    CHECK(steps_seen(3, 1, 9) == Steps{2});
}

namespace {

// dW1 = 3·W1.
Graph tripling(const NetworkConfig& config) {
    Graph network;
    network.config = config;
    network.rows = kRows;
    const Shape shape = {config.context * config.embedding, test::widths(config)[0]};
    add(network.forward, "dW1", shape, {"W1"}, BYHAND_FUNCTION(test::times), count(shape), 3.0);
    return network;
}

}  // namespace

TEST_CASE("the limits are those of the chain, from the state that the step begins with") {
    for (const bool drift : {true, false}) {
        Arena arena;
        arena.chain = {tripling(arena.config), {}};
        arena.run(2, 1, drift);
        // The worst is the first element, 100 at first: three times that, rounded once to a float.
        const Finding first = result_of(arena.seen[0], "stepwise", "stepwise", "dW1");
        REQUIRE(first.limit.has_value());
        CHECK(*first.limit > 300 * 0x1p-25);
        CHECK(*first.limit < 500 * 0x1p-20);
        CHECK(result_of(arena.seen[0], "stepwise", "stepwise", "dW2").limit == 0.0);
        const Finding second = result_of(arena.seen[1], "stepwise", "stepwise", "dW1");
        CHECK(*second.limit > *first.limit);  // it has grown by 1, or by 4
    }
}

TEST_CASE("a memo's limits are those of the state and the rate that the step has") {
    const auto limit = [](Memo* memo, float begin, float rate) {
        Arena arena;
        arena.chain = {tripling(arena.config), {}, memo};
        arena.begin = begin;
        arena.rate = rate;
        arena.run(1, 1, false);
        return result_of(arena.seen[0], "stepwise", "stepwise", "dW1").limit;
    };
    Memo memo;
    for (const float begin : {100.0F, 700.0F, 100.0F}) {
        CHECK(limit(&memo, begin, 0.25F) == limit(nullptr, begin, 0.25F));
    }
    CHECK(memo.limits.size() == 2);
    limit(&memo, 100, 0.5F);
    CHECK(memo.limits.size() == 3);
}

TEST_CASE("with drift each parameter's distance from LibTorch's is told, and the fresh error is from its own state") {
    Arena arena;
    arena.run(4, 1, true);
    const auto drift_of = [&](std::size_t step, const std::string& model, const std::string& parameter) {
        for (const ModelReport& report : arena.seen[step].models) {
            const auto drift = std::ranges::find(report.drift, parameter, &Drift::parameter);
            if (report.model == model && drift != report.drift.end()) {
                return *drift;
            }
        }
        FAIL("no drift of " << parameter);
        return Drift();
    };
    // A step adds 1 and 2 here, 4 in LibTorch's.
    CHECK(drift_of(0, "stepwise", "C").distance == 0.0);
    CHECK(drift_of(3, "stepwise", "C").distance == 9.0);
    CHECK(drift_of(3, "fused", "C").distance == 6.0);
    CHECK(drift_of(3, "fused", "C").scale == 100 + 9 + 3 * 4);  // C has ten elements
    CHECK(drift_of(3, "fused", "bnmean_running").distance == 6.0);
    CHECK_FALSE(drift_of(3, "fused", "W1").only_rounding);
    CHECK(drift_of(3, "fused", "b1").only_rounding);  // the norm takes it out again
    for (const ModelReport& report : arena.seen[3].models) {
        CHECK(report.drift.size() == state(arena.config).size());
    }
    // The oracle adds 16 to the very state that each began with.
    CHECK(result_of(arena.seen[3], "stepwise", "stepwise", "new_C").error == 15.0);
    CHECK(result_of(arena.seen[3], "fused", "stepwise", "new_C").error == 14.0);
    // LibTorch's own error is that of its own step: 4 where the oracle added 16. The module's is not known.
    CHECK(result_of(arena.seen[3], "fused", "stepwise", "new_C").reference_error == 12.0);
    CHECK_FALSE(result_of(arena.seen[3], "fused", "module", "new_C").reference_error.has_value());
    CHECK_FALSE(result_of(arena.seen[3], "fused", "stepwise", "new_C").reference_further_off);
    CHECK_FALSE(result_of(arena.seen[3], "fused", "module", "new_C").reference_further_off);
    // However far LibTorch is from us: their inputs were not the same.
    Arena near_oracle;
    near_oracle.candidates[1]->implementation = near_oracle.implementation(near_oracle.second, 15);
    near_oracle.run(4, 1, true);
    CHECK(result_of(near_oracle.seen[3], "fused", "stepwise", "new_C").error == 1.0);
    CHECK_FALSE(result_of(near_oracle.seen[3], "fused", "stepwise", "new_C").reference_further_off);
    Arena without;
    without.run(2, 1, false);
    CHECK(result_of(without.seen[1], "fused", "module", "new_C").reference_error == 8.0);
    CHECK(without.seen[1].models[0].drift.empty());
}

TEST_CASE("all implementations run every step on the same batch and at the same rate; a compared step has its batch") {
    Arena arena;
    arena.run(5, 3, false);
    CHECK(arena.seen[1].X == std::vector<std::int64_t>{30, 0, 0});
    CHECK(arena.seen[1].Y == std::vector<std::int64_t>{0, 0, 0});
    CHECK(arena.drawn == Steps{0, 1, 2, 3, 4});
    for (const Heard* heard : arena.all_heard()) {
        CHECK(heard->first_characters == std::vector<std::int64_t>{0, 10, 20, 30, 40});
        CHECK(heard->rates == std::vector<float>{0.5F, 1.5F, 2.5F, 3.5F, 4.5F});
        for (const Batch& batch : heard->batches) {
            CHECK(batch.rows == kRows);
            CHECK(batch.X == arena.X.data());
            CHECK(batch.Y == arena.Y.data());
        }
    }
}

TEST_CASE("all begin each step with what the stepwise reference made; with drift each goes on with its own") {
    Arena together;
    together.run(4, 1, false);
    for (const Heard* heard : together.all_heard()) {
        CHECK(heard->loaded == std::vector<float>{100, 104, 108, 112});
    }
    Arena arena;
    arena.run(4, 1, true);
    CHECK(arena.first.loaded == std::vector<float>{100, 101, 102, 103});
    CHECK(arena.second.loaded == std::vector<float>{100, 102, 104, 106});
    CHECK(arena.stepwise.loaded == std::vector<float>{100, 104, 108, 112});
    CHECK(arena.module.loaded == std::vector<float>{100, 108, 116, 124});
    // The oracle begins each step where LibTorch does, then where each candidate does: what they add is judged.
    CHECK(arena.oracle.loaded == std::vector<float>{100, 100, 100, 104, 101, 102, 108, 102, 104, 112, 103, 106});
}

TEST_CASE("after the last step the implementations still have its values") {
    for (const bool drift : {true, false}) {
        Arena arena;
        arena.run(3, 1, drift);
        for (const Heard* heard : arena.all_heard()) {
            const std::size_t times = drift && heard == &arena.oracle ? 9 : 3;
            REQUIRE(heard->calls.size() == 2 * times);
            for (std::size_t i = 0; i < heard->calls.size(); ++i) {
                CHECK(heard->calls[i] == (i % 2 == 0 ? "load" : "run"));
            }
        }
        const std::vector<View> views = arena.candidates[0]->implementation->views();
        CHECK(value_at(*find(views, "new_C"), 0) == (drift ? 103 : 109));
    }
}

TEST_CASE("each candidate is compared with both references, in order") {
    Arena arena;
    arena.run(1, 1, false);
    std::vector<std::string> sections;
    for (const ChainFinding& found : findings(arena.seen[0])) {
        const std::string section = found.model.model + "/" + to_string(found.against);
        if (sections.empty() || sections.back() != section) {
            sections.push_back(section);
        }
    }
    CHECK(sections ==
          std::vector<std::string>{"stepwise/stepwise", "stepwise/module", "fused/stepwise", "fused/module"});
    CHECK(findings(arena.seen[0]).size() == 4 * least_table(arena.config, kRows).size());
    // The stepwise reference made 3 where all others made 1; C grew by 2 here and by 8 there.
    const auto difference = [&](const std::string& model, const std::string& reference, const std::string& name) {
        return result_of(arena.seen[0], model, reference, name).difference;
    };
    CHECK(difference("stepwise", "stepwise", "dW1") == 2.0);
    CHECK(difference("stepwise", "module", "dW1") == 0.0);
    CHECK(difference("fused", "module", "new_C") == 6.0);
    CHECK(difference("fused", "module", "C") == 0.0);
    CHECK(result_of(arena.seen[0], "fused", "module", "new_C").error == 14.0);
}

TEST_CASE("a step has the first candidate's loss and the stepwise reference's; a missing one is not a number") {
    Arena both;
    both.candidates[0]->implementation = both.implementation(both.first, 1, 7);
    both.run(2, 1, false);
    CHECK(both.seen[1].loss_manual == 7.0);
    CHECK(both.seen[1].loss_torch == 3.0);
    Arena arena;
    arena.candidates[0]->implementation = arena.implementation(arena.first, 1, 1, "loss");
    arena.run(1, 1, false);
    CHECK(std::isnan(arena.seen[0].loss_manual));
    CHECK(verdict_of(arena.seen[0], "stepwise", "stepwise", "loss") == Verdict::missing);
}

TEST_CASE("an unwritten updated value is detected, in that step and with drift in the next") {
    for (const bool drift : {true, false}) {
        Arena arena;
        dynamic_cast<FakeImplementation&>(*arena.candidates[1]->implementation).skip("new_W1");
        arena.run(2, 1, drift);
        for (const ComparedStep& step : arena.seen) {
            CHECK(verdict_of(step, "fused", "stepwise", "new_W1") == Verdict::unwritten);
            CHECK(verdict_of(step, "fused", "module", "new_W1") == Verdict::unwritten);
            CHECK(verdict_of(step, "stepwise", "module", "new_W1") != Verdict::unwritten);
        }
        CHECK(verdict_of(arena.seen[0], "fused", "module", "W1") == Verdict::exact);
        // What was never written went on as a NaN, and the oracle began with it too.
        CHECK(verdict_of(arena.seen[1], "fused", "stepwise", "W1") == (drift ? Verdict::out_of_range : Verdict::exact));
    }
}

TEST_CASE("a gradient that is not written in a later step is not taken for the one before") {
    Arena arena;
    dynamic_cast<FakeImplementation&>(*arena.candidates[0]->implementation).skip("dW2");
    arena.run(3, 1, false);
    CHECK(verdict_of(arena.seen[2], "stepwise", "stepwise", "dW2") == Verdict::unwritten);
}

TEST_CASE("a missing updated value is detected, and no step continues from it") {
    Arena arena;
    arena.candidates[1]->implementation = arena.implementation(arena.second, 2, 1, "new_W2");
    arena.run(2, 1, false);
    for (const ComparedStep& step : arena.seen) {
        CHECK(verdict_of(step, "fused", "stepwise", "new_W2") == Verdict::missing);
        CHECK(verdict_of(step, "fused", "module", "new_W2") == Verdict::missing);
    }
}
