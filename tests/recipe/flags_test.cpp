// Flags that change a recipe's network.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "base/member.h"
#include "base/message_of.h"
#include "recipe/sample.h"

using namespace byhand;
using byhand::test::constant;

namespace {

using List = std::vector<OperationConfig>;

Recipe listing(List layers) {
    Recipe recipe = test::sample();
    recipe.network.layers = std::move(layers);
    return recipe;
}

template <class T>
NetworkFlags only(Member<NetworkFlags, T> flag, std::type_identity_t<T> value) {
    NetworkFlags flags;
    flags.*flag = std::move(value);
    return flags;
}

std::string refusal(const Recipe& recipe, const NetworkFlags& flags) {
    return test::message_of([&] { with_flags(recipe, flags); });
}

}  // namespace

TEST_CASE("flags: of norms of two kinds the rules of one remain, those of the new kind before others") {
    Recipe recipe =
        listing({{"linear", 6}, {"batchnorm"}, {"tanh"}, {"linear", 6}, {"layernorm"}, {"tanh"}, {"linear"}});
    recipe.initial = {constant("bngain", 1.5), constant("bnbias", 0.5), constant("lngain", 2), constant("lnbias", 3)};
    const auto rules = [&](const char* kind) {
        return with_flags(recipe, only(&NetworkFlags::norm_kind, kind)).initial;
    };
    CHECK(rules("layer") == std::vector{constant("lngain", 2), constant("lnbias", 3)});
    CHECK(rules("batch") == std::vector{constant("bngain", 1.5), constant("bnbias", 0.5)});
    CHECK(rules("rms") == std::vector{constant("rmsgain", 1.5)});
    // For different layers both remain.
    recipe.initial = {constant("bngain", 1.5, LayerSet::hidden), constant("lngain", 2, LayerSet::output)};
    CHECK(rules("rms") ==
          std::vector{constant("rmsgain", 1.5, LayerSet::hidden), constant("rmsgain", 2, LayerSet::output)});
    recipe.initial = {};
    CHECK(rules("layer") == std::vector{constant("lngain", 1), constant("lnbias", 0)});
}

TEST_CASE("flags: norms that are put into a network without any are of the kind that its rules initialize") {
    Recipe recipe = listing({{"linear", 6}, {"tanh"}, {"linear"}});
    const auto second = [&] { return with_flags(recipe, only(&NetworkFlags::norm, "before")).network.layers.at(1).op; };
    const auto rules = [&] { return with_flags(recipe, only(&NetworkFlags::norm, "after")).initial; };
    recipe.initial = {};
    CHECK(second() == op::kBatchnorm);
    CHECK(rules() == std::vector{constant("bngain", 1), constant("bnbias", 0)});
    recipe.initial = {constant("lngain", 0.5)};
    CHECK(second() == op::kLayernorm);
    CHECK(rules() == std::vector{constant("lngain", 0.5), constant("lnbias", 0)});
    recipe.initial = {constant("rmsgain", 1)};
    CHECK(second() == op::kRmsnorm);
}

TEST_CASE("flags: a change that finds no place or leaves no network is refused, with the flag and the recipe") {
    const Recipe one = listing({{"linear"}}), linears = listing({{"linear", 5}, {"linear", 3}, {"linear"}});
    CHECK(refusal(one, only(&NetworkFlags::hidden, {{6}})) ==
          "--hidden: recipe odd has no hidden layer: leave the widths out");
    CHECK(refusal(linears, only(&NetworkFlags::hidden, {{6}})) ==
          "--hidden: recipe odd lists its layers, 2 of them hidden: give as many widths");
    CHECK(refusal(linears, only(&NetworkFlags::hidden, {{6, 0}}))
              .starts_with("--hidden: recipe odd can't be changed so: a hidden layer "));
    CHECK(refusal(linears, only(&NetworkFlags::activation, "relu"))
              .starts_with("--activation: recipe odd has no activation"));
    CHECK(refusal(linears, only(&NetworkFlags::norm, "after")).starts_with("--norm: recipe odd has no activation"));
    CHECK(refusal(linears, only(&NetworkFlags::norm_kind, "rms"))
              .starts_with("--norm-kind: recipe odd has no activation"));
    CHECK(refusal(linears, only(&NetworkFlags::norm, "none")).empty());
    CHECK(refusal(linears, only(&NetworkFlags::residual, true))
              .starts_with("--residual: recipe odd has no hidden layer as wide"));

    OperationConfig residual{op::kResidual};
    residual.from = 2;
    const Recipe tied =
        listing({{"linear", 6}, {"tanh"}, {"linear", 6}, {"batchnorm"}, residual, {"tanh"}, {"linear"}});
    CHECK(refusal(tied, only(&NetworkFlags::norm, "none"))
              .starts_with("--norm: recipe odd can't be changed so: layers[3]: from: "));
}

TEST_CASE("flags: differences of recipes of which one lists its layers are those of two lists") {
    const Recipe mixed = listing({{"linear", 6}, {"tanh"}, {"linear", 6}, {"relu"}, {"linear"}});
    CHECK(differences(mixed, with_flags(mixed, only(&NetworkFlags::activation, "tanh"))) ==
          std::vector<std::string>{"network.layers.3.op (\"relu\" there, \"tanh\" here)"});
}
