#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "harness/end_to_end/comparison.h"
#include "harness/fake_implementation.h"
#include "judge/owned.h"
#include "manual/operation.h"

using namespace byhand;
using test::least_table;
using test::small_network;

namespace {

constexpr std::size_t kRows = 7;

// The tensors of a table, each with the values 1, 2, 3 … (all equal would show nothing).
Tensors<float> counted(std::vector<TensorSpec> table) {
    Tensors<float> tensors(std::move(table));
    for (const TensorSpec& spec : tensors.table()) {
        test::count_from(tensors, spec.name, 1);
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

std::vector<ValueReport> compared(const std::vector<View>& ours, const std::vector<View>& theirs, Coverage coverage,
                                  Against against, const std::vector<View>& oracle = {}, const Limits& limits = {},
                                  const NetworkConfig& config = small_network(), bool pictures = false) {
    std::vector<ValueReport> values;
    compare_views(values, config, glossary_of(config), coverage, ours, against, theirs, oracle, limits, pictures);
    for (const ValueReport& value : values) {
        REQUIRE(value.in_chain() != nullptr);
        CHECK(value.shape == value.in_chain()->shape);
        CHECK(value.against(against).has_value());
        CHECK_FALSE(value.against(against == Against::module ? Against::operations : Against::module).has_value());
    }
    return values;
}

std::vector<ValueReport> compared(const Tensors<float>& ours, const Tensors<float>& theirs, Coverage coverage,
                                  Against against = Against::operations,
                                  const NetworkConfig& config = small_network()) {
    return compared(ours.views(), theirs.views(), coverage, against, {}, {}, config);
}

const Finding* finding_of(const std::vector<ValueReport>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &ValueReport::name);
    return found == all.end() ? nullptr : found->in_chain();
}

std::vector<std::string> disagreeing(const std::vector<ValueReport>& all) {
    std::vector<std::string> names;
    for (const ValueReport& value : all) {
        if (!agrees(value.in_chain()->verdict)) {
            names.push_back(value.name + " " + to_string(value.in_chain()->verdict));
        }
    }
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("equal implementations agree in every name once, in the order of ours") {
    const Tensors<float> implementation = counted(least());
    for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
        for (const Against against : {Against::operations, Against::module}) {
            const std::vector<ValueReport> all = compared(implementation, implementation, coverage, against);
            REQUIRE(all.size() == implementation.table().size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                CHECK(all[i].name == implementation.table()[i].name);
                CHECK(all[i].shape == implementation.table()[i].shape);
                CHECK(all[i].in_chain()->verdict == Verdict::exact);
            }
        }
    }
}

TEST_CASE("an implementation that keeps everything must have every name of the reference") {
    const Tensors<float> ours = counted(least()), theirs = counted(with(with(least(), "bnraw"), "dbnraw"));
    CHECK(disagreeing(compared(ours, theirs, Coverage::everything)) == Names{"bnraw missing", "dbnraw missing"});
    CHECK(finding_of(compared(ours, theirs, Coverage::everything), "bnraw")->note ==
          "the hand-written implementation has none");
    CHECK(disagreeing(compared(ours, theirs, Coverage::everything, Against::module)) ==
          Names{"bnraw missing", "dbnraw missing"});

    const std::vector<ValueReport> partial = compared(ours, theirs, Coverage::required);
    CHECK(disagreeing(partial).empty());
    CHECK(finding_of(partial, "bnraw") == nullptr);
}

TEST_CASE("what the stepwise reference does not have is missing, what a module does not have is left out") {
    const Tensors<float> ours = counted(with(least(), "bnraw")), theirs = counted(least());
    for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
        const std::vector<ValueReport> all = compared(ours, theirs, coverage, Against::operations);
        CHECK(disagreeing(all) == Names{"bnraw missing"});
        CHECK(finding_of(all, "bnraw")->note == "LibTorch has none");
        CHECK(finding_of(compared(ours, theirs, coverage, Against::module), "bnraw") == nullptr);
        CHECK(disagreeing(compared(ours, theirs, coverage, Against::module)).empty());
    }
}

TEST_CASE("a required value that is missing in one implementation or in both is reported") {
    const Tensors<float> whole = counted(least());
    for (const TensorSpec& spec : least()) {
        CAPTURE(spec.name);
        const Tensors<float> part = counted(without(least(), spec.name));
        for (const Coverage coverage : {Coverage::everything, Coverage::required}) {
            for (const Against against : {Against::operations, Against::module}) {
                const Names expected = {spec.name + " missing"};
                CHECK(disagreeing(compared(part, whole, coverage, against)) == expected);
                CHECK(disagreeing(compared(whole, part, coverage, against)) == expected);
                const std::vector<ValueReport> neither = compared(part, part, coverage, against);
                CHECK(disagreeing(neither) == expected);
                CHECK(finding_of(neither, spec.name)->note == "neither side has one");
            }
        }
    }
}

TEST_CASE("an implementation without values misses every name") {
    const Tensors<float> nothing, whole = counted(least());
    CHECK(disagreeing(compared(nothing, whole, Coverage::required)).size() == least().size());
    CHECK(disagreeing(compared(whole, nothing, Coverage::everything)).size() == least().size());
    CHECK(disagreeing(compared(nothing, nothing, Coverage::required)).size() == least().size());
}

TEST_CASE("all zero is expected where it was given, and where exact arithmetic makes it") {
    const auto zero = [](const std::string& name, const NetworkConfig& config) {
        Tensors<float> implementation = counted(with(least_table(config, kRows), "dlogit_maxes"));
        std::ranges::fill(implementation[name], 0.0F);
        return finding_of(compared(implementation, implementation, Coverage::everything, Against::operations, config),
                          name)
            ->verdict;
    };
    const NetworkConfig before = small_network("before"), after = small_network("after"), none = small_network("none");
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
    test::set(output, &ShortForm::output_norm, true);
    CHECK(zero("db1", output) == Verdict::exact);
    CHECK(zero("db2", output) == Verdict::exact);
}

TEST_CASE("one wrong element is one mismatch, by the limits of its name") {
    Tensors<float> ours = counted(least());
    const Tensors<float> theirs = counted(least());
    ours["dW1"][5] += 0.25F;
    const auto with_limits = [&](const Limits& limits) {
        return compared(ours.views(), theirs.views(), Coverage::everything, Against::operations, {}, limits);
    };
    CHECK(disagreeing(with_limits({})) == Names{"dW1 mismatch"});  // no limits: not made, nothing to spare
    CHECK(disagreeing(with_limits({{"dW2", {9}}})) == Names{"dW1 mismatch"});
    const std::size_t elements = ours["dW1"].size();
    std::vector<double> each(elements, 0.0);
    each[5] = 0.03125;
    const Finding off = *finding_of(with_limits({{"dW1", each}}), "dW1");
    CHECK(off.verdict == Verdict::mismatch);
    CHECK(off.worst->position == 5);
    CHECK(off.limit == 0.03125);
    CHECK(off.used == 8.0);
    each[5] = 0.25;  // too wide for a scale of 6
    CHECK(finding_of(with_limits({{"dW1", each}}), "dW1")->verdict == Verdict::undecided);
    ours["dW1"][5] = theirs["dW1"][5] + 0.03125F;
    each[5] = 0.03125;
    CHECK(finding_of(with_limits({{"dW1", each}}), "dW1")->verdict == Verdict::within);
}

TEST_CASE("the oracle is compared in each name that it has") {
    const Tensors<float> implementation = counted(least());
    Tensors<double> oracle(without(least(), "dW2"));
    for (const TensorSpec& spec : oracle.table()) {
        for (std::size_t i = 0; i < oracle[spec.name].size(); ++i) {
            oracle[spec.name][i] = static_cast<double>(implementation[spec.name][i]) + 0.25;
        }
    }
    const std::vector<ValueReport> all = compared(implementation.views(), implementation.views(), Coverage::everything,
                                                  Against::operations, oracle.views());
    CHECK(finding_of(all, "dW1")->error == 0.25);
    CHECK(finding_of(all, "dW1")->reference_error == 0.25);
    CHECK(finding_of(all, "dW1")->worst->right == 1.25);
    CHECK_FALSE(finding_of(all, "dW2")->error.has_value());
    CHECK_FALSE(finding_of(all, "dW2")->worst->right.has_value());
    CHECK(disagreeing(all).empty());  // equal to the bit
}

TEST_CASE("where the oracle is not a number, the element is out of range and nothing agrees") {
    Tensors<float> ours = counted(least());
    const Tensors<float> theirs = counted(least());
    ours["dW1"][2] += 0.0009765625F;
    Tensors<double> oracle(least());
    copy_into(oracle, theirs);
    const auto verdict = [&] {
        return finding_of(compared(ours.views(), theirs.views(), Coverage::everything, Against::operations,
                                   oracle.views(), {{"dW1", {0.01}}}),
                          "dW1")
            ->verdict;
    };
    CHECK(verdict() == Verdict::within);
    oracle["dW1"][3] = std::numeric_limits<double>::quiet_NaN();
    CHECK(verdict() == Verdict::out_of_range);
}

TEST_CASE("pictures are taken if requested, of values that both implementations have in one shape") {
    const Tensors<float> ours = counted(with(least(), "dh")), theirs = counted(least());
    const auto views = [&](bool pictures) {
        return compared(ours.views(), theirs.views(), Coverage::everything, Against::operations, {}, {},
                        small_network(), pictures);
    };
    for (const ValueReport& value : views(true)) {
        CHECK((value.picture != nullptr) == (value.name != "dh"));
    }
    for (const ValueReport& value : views(false)) {
        CHECK(value.picture == nullptr);
    }
}

TEST_CASE("a value that is compared with both of LibTorch's networks is one record") {
    const Tensors<float> ours = counted(with(least(), "bnraw")), operations = counted(with(least(), "bnraw"));
    Tensors<float> module = counted(least());
    module["dW1"][5] += 0.25F;
    std::vector<ValueReport> values;
    const auto add = [&](Against against, const Tensors<float>& theirs) {
        compare_views(values, small_network(), glossary_of(small_network()), Coverage::required, ours.views(), against,
                      theirs.views(), {}, {});
    };
    add(Against::operations, operations);
    add(Against::module, module);
    REQUIRE(values.size() == ours.table().size());
    for (const ValueReport& value : values) {
        CAPTURE(value.name);
        CHECK(value.operations->verdict == Verdict::exact);
        REQUIRE(value.module.has_value() == (value.name != "bnraw"));
        if (value.module) {
            CHECK(value.module->verdict == (value.name == "dW1" ? Verdict::mismatch : Verdict::exact));
        }
        CHECK(value.fails_in_chain() == (value.name == "dW1"));
    }
}
