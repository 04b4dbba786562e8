#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "harness/comparison.h"
#include "harness/fake_implementation.h"
#include "judge/owned.h"
#include "manual/glossary.h"

using namespace byhand;
using test::fill;
using test::least_table;
using test::small_network;

namespace {

constexpr std::size_t kRows = 7;

// The tensors of a table, each with the values 1, 2, 3 … (all equal would show nothing).
Tensors<float> counted(std::vector<TensorSpec> table) {
    Tensors<float> tensors(std::move(table));
    for (const TensorSpec& spec : tensors.table()) {
        const std::span<float> values = tensors[spec.name];
        std::iota(values.begin(), values.end(), 1.0F);
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

std::vector<ComparedTensor> compared(const Tensors<float>& ours, const Tensors<float>& theirs, Coverage coverage,
                                     const std::string& reference = "stepwise",
                                     const NetworkConfig& config = small_network()) {
    return compare_views(config, glossary_of(config), "fused", coverage, ours.views(), reference, theirs.views(), {},
                         {});
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
    const Tensors<float> implementation = counted(least());
    for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
        for (const std::string reference : {"stepwise", "module"}) {
            const std::vector<ComparedTensor> all = compared(implementation, implementation, coverage, reference);
            REQUIRE(all.size() == implementation.table().size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                CHECK(all[i].model == "fused");
                CHECK(all[i].reference == reference);
                CHECK(all[i].result.name == implementation.table()[i].name);
                CHECK(all[i].result.shape == implementation.table()[i].shape);
                CHECK(all[i].result.verdict == Verdict::exact);
            }
        }
    }
}

TEST_CASE("a side that keeps everything must have every name of the reference") {
    const Tensors<float> ours = counted(least()), theirs = counted(with(with(least(), "bnraw"), "dbnraw"));
    CHECK(disagreeing(compared(ours, theirs, Coverage::everything)) == Names{"bnraw missing", "dbnraw missing"});
    CHECK(result_of(compared(ours, theirs, Coverage::everything), "bnraw")->note == "the hand-written side has none");
    CHECK(disagreeing(compared(ours, theirs, Coverage::everything, "module")) ==
          Names{"bnraw missing", "dbnraw missing"});

    const std::vector<ComparedTensor> partial = compared(ours, theirs, Coverage::required);
    CHECK(disagreeing(partial).empty());
    CHECK(result_of(partial, "bnraw") == nullptr);
}

TEST_CASE("what the stepwise reference does not have is missing, what a module does not have is left out") {
    const Tensors<float> ours = counted(with(least(), "bnraw")), theirs = counted(least());
    for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
        const std::vector<ComparedTensor> all = compared(ours, theirs, coverage, "stepwise");
        CHECK(disagreeing(all) == Names{"bnraw missing"});
        CHECK(result_of(all, "bnraw")->note == "LibTorch's side has none");
        CHECK(result_of(compared(ours, theirs, coverage, "module"), "bnraw") == nullptr);
        CHECK(disagreeing(compared(ours, theirs, coverage, "module")).empty());
    }
}

TEST_CASE("what every side must have is missed on either side, and on both") {
    const Tensors<float> whole = counted(least());
    for (const TensorSpec& spec : least()) {
        CAPTURE(spec.name);
        const Tensors<float> part = counted(without(least(), spec.name));
        for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
            for (const std::string reference : {"stepwise", "module"}) {
                const Names expected = {spec.name + " missing"};
                CHECK(disagreeing(compared(part, whole, coverage, reference)) == expected);
                CHECK(disagreeing(compared(whole, part, coverage, reference)) == expected);
                const std::vector<ComparedTensor> neither = compared(part, part, coverage, reference);
                CHECK(disagreeing(neither) == expected);
                CHECK(result_of(neither, spec.name)->note == "neither side has one");
            }
        }
    }
}

TEST_CASE("a side with nothing at all misses every name") {
    const Tensors<float> nothing, whole = counted(least());
    CHECK(disagreeing(compared(nothing, whole, Coverage::required)).size() == least().size());
    CHECK(disagreeing(compared(whole, nothing, Coverage::everything)).size() == least().size());
    CHECK(disagreeing(compared(nothing, nothing, Coverage::required)).size() == least().size());
}

TEST_CASE("all zero is expected where it was given, and where exact arithmetic makes it") {
    const auto zero = [](const std::string& name, const NetworkConfig& config) {
        Tensors<float> implementation = counted(with(least_table(config, kRows), "dlogit_maxes"));
        fill(implementation, name, 0.0F);
        return result_of(compared(implementation, implementation, Coverage::everything, "stepwise", config), name)
            ->verdict;
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

TEST_CASE("one wrong element is one mismatch, by the limits of its name") {
    Tensors<float> ours = counted(least());
    const Tensors<float> theirs = counted(least());
    ours["dW1"][5] += 0.25F;
    const auto with_limits = [&](const Limits& limits) {
        return compare_views(small_network(), glossary_of(small_network()), "fused", Coverage::everything, ours.views(),
                             "stepwise", theirs.views(), {}, limits);
    };
    CHECK(disagreeing(with_limits({})) == Names{"dW1 mismatch"});  // no limits: not made, nothing to spare
    CHECK(disagreeing(with_limits({{"dW2", {9}}})) == Names{"dW1 mismatch"});
    const std::size_t elements = ours["dW1"].size();
    std::vector<double> each(elements, 0.0);
    each[5] = 0.03125;
    const TensorResult off = *result_of(with_limits({{"dW1", each}}), "dW1");
    CHECK(off.verdict == Verdict::mismatch);
    CHECK(off.worst->position == 5);
    CHECK(off.limit == 0.03125);
    CHECK(off.used == 8.0);
    each[5] = 0.25;  // too wide for a scale of 6
    CHECK(result_of(with_limits({{"dW1", each}}), "dW1")->verdict == Verdict::undecided);
    ours["dW1"][5] = theirs["dW1"][5] + 0.03125F;
    each[5] = 0.03125;
    CHECK(result_of(with_limits({{"dW1", each}}), "dW1")->verdict == Verdict::within);
}

TEST_CASE("the oracle is asked for each name that it has") {
    const Tensors<float> implementation = counted(least());
    Tensors<double> oracle(without(least(), "dW2"));
    for (const TensorSpec& spec : oracle.table()) {
        for (std::size_t i = 0; i < oracle[spec.name].size(); ++i) {
            oracle[spec.name][i] = static_cast<double>(implementation[spec.name][i]) + 0.25;
        }
    }
    const std::vector<ComparedTensor> all =
        compare_views(small_network(), glossary_of(small_network()), "stepwise", Coverage::everything,
                      implementation.views(), "stepwise", implementation.views(), oracle.views(), {});
    CHECK(result_of(all, "dW1")->error == 0.25);
    CHECK(result_of(all, "dW1")->reference_error == 0.25);
    CHECK(result_of(all, "dW1")->worst->right == 1.25);
    CHECK_FALSE(result_of(all, "dW2")->error.has_value());
    CHECK_FALSE(result_of(all, "dW2")->worst->right.has_value());
    CHECK(disagreeing(all).empty());  // equal to the bit
}

TEST_CASE("where the oracle is not a number, the element is out of range and nothing agrees") {
    Tensors<float> ours = counted(least());
    const Tensors<float> theirs = counted(least());
    ours["dW1"][2] += 0.0009765625F;
    Tensors<double> oracle(least());
    copy_into(oracle, theirs);
    const auto verdict = [&] {
        return result_of(compare_views(small_network(), glossary_of(small_network()), "stepwise", Coverage::everything,
                                       ours.views(), "stepwise", theirs.views(), oracle.views(), {{"dW1", {0.01}}}),
                         "dW1")
            ->verdict;
    };
    CHECK(verdict() == Verdict::within);
    oracle["dW1"][3] = std::numeric_limits<double>::quiet_NaN();
    CHECK(verdict() == Verdict::out_of_range);
}

TEST_CASE("pictures are taken where they are asked for, of what both sides have in one shape") {
    const Tensors<float> ours = counted(with(least(), "dh")), theirs = counted(least());
    const auto views = [&](bool pictures) {
        return compare_views(small_network(), glossary_of(small_network()), "fused", Coverage::everything, ours.views(),
                             "stepwise", theirs.views(), {}, {}, pictures);
    };
    for (const ComparedTensor& tensor : views(true)) {
        CHECK((tensor.picture != nullptr) == (tensor.result.name != "dh"));
    }
    for (const ComparedTensor& tensor : views(false)) {
        CHECK(tensor.picture == nullptr);
    }
}
