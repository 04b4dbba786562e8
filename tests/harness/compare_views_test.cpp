#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "harness/comparison.h"
#include "harness/fake_side.h"
#include "harness/limits.h"
#include "harness/owned.h"

using namespace byhand;
using test::fill;
using test::least_table;
using test::small_network;

namespace {

constexpr std::size_t kRows = 7;

// The tensors of a table, every element 1.
Tensors<float> ones(std::vector<TensorSpec> table) {
    Tensors<float> tensors(std::move(table));
    for (const TensorSpec& spec : tensors.table()) {
        fill(tensors, spec.name, 1.0F);
    }
    return tensors;
}

std::vector<TensorSpec> least() {
    return least_table(small_network(), kRows);
}

std::vector<TensorSpec> with(std::vector<TensorSpec> table, const std::string& name) {
    table.push_back({name, {3}});
    return table;
}

std::vector<TensorSpec> without(std::vector<TensorSpec> table, const std::string& name) {
    REQUIRE(std::erase_if(table, [&](const TensorSpec& spec) { return spec.name == name; }) == 1);
    return table;
}

std::vector<ComparedTensor> compared(const Tensors<float>& ours, const Tensors<float>& theirs, bool keeps_everything,
                                     const std::string& witness = "stepwise",
                                     const NetworkConfig& config = small_network()) {
    return compare_views(config, "fused", keeps_everything, ours.views(), witness, theirs.views(), {});
}

const TensorResult* result_of(const std::vector<ComparedTensor>& all, const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const ComparedTensor& t) { return t.result.name == name; });
    return found == all.end() ? nullptr : &found->result;
}

std::vector<std::string> disagreeing(const std::vector<ComparedTensor>& all) {
    std::vector<std::string> names;
    for (const ComparedTensor& tensor : all) {
        if (!agrees(tensor.result.verdict)) {
            names.push_back(tensor.result.name + " " + to_string(tensor.result.verdict));
        }
    }
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("equal sides agree in every name once, in the order of ours") {
    const Tensors<float> side = ones(least());
    for (const bool keeps_everything : {true, false}) {
        for (const std::string witness : {"stepwise", "module"}) {
            const std::vector<ComparedTensor> all = compared(side, side, keeps_everything, witness);
            REQUIRE(all.size() == side.table().size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                CHECK(all[i].model == "fused");
                CHECK(all[i].witness == witness);
                CHECK(all[i].result.name == side.table()[i].name);
                CHECK(all[i].result.shape == side.table()[i].shape);
                CHECK(all[i].result.verdict == Verdict::exact);
            }
        }
    }
}

TEST_CASE("a side that keeps everything must have every name of the witness") {
    const Tensors<float> ours = ones(least()), theirs = ones(with(with(least(), "bnraw"), "dbnraw"));
    CHECK(disagreeing(compared(ours, theirs, true)) == Names{"bnraw missing", "dbnraw missing"});
    CHECK(result_of(compared(ours, theirs, true), "bnraw")->note == "the hand-written side has none");
    CHECK(disagreeing(compared(ours, theirs, true, "module")) == Names{"bnraw missing", "dbnraw missing"});

    const std::vector<ComparedTensor> partial = compared(ours, theirs, false);
    CHECK(disagreeing(partial).empty());
    CHECK(result_of(partial, "bnraw") == nullptr);
}

TEST_CASE("what the stepwise witness does not have is missing, what a module does not have is left out") {
    const Tensors<float> ours = ones(with(least(), "bnraw")), theirs = ones(least());
    for (const bool keeps_everything : {true, false}) {
        const std::vector<ComparedTensor> all = compared(ours, theirs, keeps_everything, "stepwise");
        CHECK(disagreeing(all) == Names{"bnraw missing"});
        CHECK(result_of(all, "bnraw")->note == "LibTorch's side has none");
        CHECK(result_of(compared(ours, theirs, keeps_everything, "module"), "bnraw") == nullptr);
        CHECK(disagreeing(compared(ours, theirs, keeps_everything, "module")).empty());
    }
}

TEST_CASE("what every side must have is missed on either side, and on both") {
    const Tensors<float> whole = ones(least());
    for (const TensorSpec& spec : least()) {
        CAPTURE(spec.name);
        const Tensors<float> part = ones(without(least(), spec.name));
        for (const bool keeps_everything : {true, false}) {
            for (const std::string witness : {"stepwise", "module"}) {
                const Names expected = {spec.name + " missing"};
                CHECK(disagreeing(compared(part, whole, keeps_everything, witness)) == expected);
                CHECK(disagreeing(compared(whole, part, keeps_everything, witness)) == expected);
                const std::vector<ComparedTensor> neither = compared(part, part, keeps_everything, witness);
                CHECK(disagreeing(neither) == expected);
                CHECK(result_of(neither, spec.name)->note == "neither side has one");
            }
        }
    }
}

TEST_CASE("a side with nothing at all misses every name") {
    const Tensors<float> nothing, whole = ones(least());
    CHECK(disagreeing(compared(nothing, whole, false)).size() == least().size());
    CHECK(disagreeing(compared(whole, nothing, true)).size() == least().size());
    CHECK(disagreeing(compared(nothing, nothing, false)).size() == least().size());
}

TEST_CASE("all zero is expected where it was given, and where exact arithmetic makes it") {
    const auto zero = [](const std::string& name, const NetworkConfig& config) {
        Tensors<float> side = ones(with(least_table(config, kRows), "dlogit_maxes"));
        fill(side, name, 0.0F);
        return result_of(compared(side, side, true, "stepwise", config), name)->verdict;
    };
    const NetworkConfig before = small_network(NormPlace::before), after = small_network(NormPlace::after),
                        none = small_network(NormPlace::none);
    CHECK(zero("b2", before) == Verdict::exact);              // initial values
    CHECK(zero("bnmean_running", before) == Verdict::exact);  // likewise
    CHECK(zero("dlogit_maxes", before) == Verdict::exact);    // softmax does not change with the shift
    CHECK(zero("db1", before) == Verdict::exact);             // the norm takes the bias out again
    CHECK(zero("db1", after) == Verdict::vacuous);
    CHECK(zero("db1", none) == Verdict::vacuous);
    CHECK(zero("db2", before) == Verdict::vacuous);
    CHECK(zero("dW1", before) == Verdict::vacuous);
    CHECK(zero("dC", none) == Verdict::vacuous);
    CHECK(zero("new_W1", before) == Verdict::vacuous);
    CHECK(zero("logits", before) == Verdict::vacuous);
    CHECK(zero("loss", before) == Verdict::vacuous);

    NetworkConfig output = before;
    output.norm.output = true;
    CHECK(zero("db1", output) == Verdict::exact);
    CHECK(zero("db2", output) == Verdict::exact);
}

TEST_CASE("one wrong element is one mismatch, and its limit goes by the witness") {
    Tensors<float> ours = ones(least()), theirs = ones(least());
    ours["dW1"][5] = 1.001F;
    theirs["dW1"][0] = -2.0F;
    ours["dW1"][0] = -2.0F;
    CHECK(disagreeing(compared(ours, theirs, true)) == Names{"dW1 mismatch"});
    const TensorResult result = *result_of(compared(ours, theirs, true), "dW1");
    CHECK(result.worst->position == 5);
    CHECK(result.limit == 1e-4 * 2 + 1e-7);
    ours["dW1"][5] = 1.0001F;
    CHECK(disagreeing(compared(ours, theirs, true)).empty());
}

TEST_CASE("the oracle is asked for each name that it has") {
    const Tensors<float> side = ones(least());
    Tensors<double> oracle(without(least(), "dW2"));
    for (const TensorSpec& spec : oracle.table()) {
        fill(oracle, spec.name, 1.25);
    }
    const std::vector<ComparedTensor> all =
        compare_views(small_network(), "stepwise", true, side.views(), "stepwise", side.views(), oracle.views());
    CHECK(result_of(all, "dW1")->error_manual == 0.25);
    CHECK(result_of(all, "dW1")->error_torch == 0.25);
    CHECK(result_of(all, "dW1")->worst->oracle == 1.25);
    CHECK_FALSE(result_of(all, "dW2")->error_manual.has_value());
    CHECK_FALSE(result_of(all, "dW2")->worst->oracle.has_value());
    CHECK(disagreeing(all).empty());
}

TEST_CASE("the limit: the witness's magnitude, 16 times its own error, and 1e-7") {
    const test::Owned<float> witness = test::row({1.0F, -4.0F, 0.0F});
    const View view = witness.view();
    CHECK(plain_limit(view, nullptr) == 1e-4 * 4 + 1e-7);
    const auto limit = [&](const test::Owned<double>& oracle) {
        const View o = oracle.view();
        return plain_limit(view, &o);
    };
    CHECK(limit(test::row<double>({1.0, -4.0, 0.0})) == 1e-4 * 4 + 1e-7);
    CHECK(limit(test::row<double>({1.0, -4.0, -0.25})) == 1e-4 * 4 + 16 * 0.25 + 1e-7);
    CHECK(limit({"x", {3, 1}, {1.0, -4.0, -0.25}}) == 1e-4 * 4 + 1e-7);  // another shape: not known
    CHECK(std::isnan(limit(test::row<double>({1.0, std::numeric_limits<double>::quiet_NaN(), 0.0}))));
    const test::Owned<float> endless = test::row({1.0F, -std::numeric_limits<float>::infinity(), 0.0F});
    CHECK(plain_limit(endless.view(), nullptr) == 1e-4 + 1e-7);
    CHECK(plain_limit(test::row({0.0F}).view(), nullptr) == 1e-7);
}

TEST_CASE("where the oracle is not a number, nothing agrees") {
    Tensors<float> ours = ones(least()), theirs = ones(least());
    ours["dW1"][2] = 1.00001F;
    Tensors<double> oracle(least());
    for (const TensorSpec& spec : oracle.table()) {
        fill(oracle, spec.name, 1.0);
    }
    const auto verdict = [&] {
        return result_of(compare_views(small_network(), "stepwise", true, ours.views(), "stepwise", theirs.views(),
                                       oracle.views()),
                         "dW1")
            ->verdict;
    };
    CHECK(verdict() == Verdict::within);
    oracle["dW1"][3] = std::numeric_limits<double>::quiet_NaN();
    CHECK(verdict() == Verdict::mismatch);
}
