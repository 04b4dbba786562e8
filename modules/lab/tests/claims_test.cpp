#include "lab/claims/claims.h"

#include <set>
#include <string>

#include "base/error.h"
#include "lab/claims/bench.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using namespace byhand;
using namespace byhand::lab;

namespace {

// So many of the shipped names: what a training begins with is then at hand at once.
Material few_names() {
    constexpr std::size_t kNames = 1500;
    Material material = lab_test::names();
    material.names.names.resize(kNames);
    return material;
}

// A small network of a norm in one layer, and one of a norm in three, the output among them.
std::vector<Recipe> small_recipes() {
    Recipe shallow = lab_test::recipe("notes"), deep = lab_test::recipe("makemore-deep");
    shallow.network.hidden = {9};
    deep.network.hidden = {8, 7};
    deep.network.embedding = 3;
    shallow.batch = deep.batch = 8;
    return {shallow, deep};
}

ClaimsOptions quick(std::vector<std::string> claims = {}) {
    return {.recipes = small_recipes(),
            .seeds = {.first = 3, .count = 2},
            .steps = kFewestClaimSteps,
            .claims = std::move(claims)};
}

}  // namespace

TEST_CASE("claims: the same network with the norm and without, biases where the norm made them superfluous") {
    const Network deep = network_of(small_recipes()[1], few_names());
    CHECK(deep.with.network == [&] {
        NetworkConfig config = small_recipes()[1].network;
        config.vocabulary = deep.with.network.vocabulary;
        return config;
    }());
    CHECK(deep.without.network.norm.place == NormPlace::none);
    CHECK(deep.without.network.hidden_bias);
    CHECK(deep.without.network.output_bias);
    // Seed by seed, both begin with the same weights and draw the same minibatches.
    TorchGenerator with = torch_seeded(4), without = torch_seeded(4);
    const Tensors<float> a = initial_state(deep.with, with), b = initial_state(deep.without, without);
    CHECK(with == without);
    CHECK(a["W2"][5] == b["W2"][5]);
    CHECK(b["b2"][5] == 0);

    Recipe bare = small_recipes()[0];
    bare.network.norm.place = NormPlace::none;
    CHECK(network_of(bare, few_names()).with.network.norm.place == NormPlace::before);
}

TEST_CASE("claims: a row for every measure of every claim, its verdict by its own figures") {
    const Json document = lab_test::read(claims(quick(), few_names(), lab_test::setting()));
    std::set<std::string> names;
    for (const Json& claim : document.at("claims")) {
        names.insert(claim.at("name").get<std::string>());
        const auto with = claim.at("with").at("values").get<std::vector<double>>();
        const auto without = claim.at("without").at("values").get<std::vector<double>>();
        CHECK(with.size() == 2);
        const std::string verdict = claim.at("verdict").get<std::string>();
        const bool one_of_two = verdict == words_of(verdict_of(with, without, Better::smaller).outcome) ||
                                verdict == words_of(verdict_of(with, without, Better::larger).outcome);
        CAPTURE(claim);
        CHECK(one_of_two);
        for (const char* implementation : {"with", "without"}) {
            CHECK(claim.at(implementation).at("mean").is_number());
            CHECK(claim.at(implementation).at("deviation").is_number());
        }
        for (const char* words : {"network", "claim", "measure"}) {
            CHECK(!claim.at(words).get<std::string>().empty());
        }
    }
    const std::vector<std::string> all = claim_names();
    CHECK(names == std::set<std::string>(all.begin(), all.end()));
    CHECK(names.size() == 6);
    // The first table has them all, and a line for each network.
    CHECK(document.at("tables").at(0).at("rows").size() == document.at("claims").size() + 2);
    CHECK(document.at("plots").size() == 12);
}

TEST_CASE("claims: only those that are wanted, and twice the same") {
    const auto run = [] { return lab_test::read(claims(quick({"weights", "rates"}), few_names(), {})); };
    const Json document = run();
    std::vector<std::string> names;
    for (const Json& claim : document.at("claims")) {
        names.push_back(claim.at("name").get<std::string>());
    }
    CHECK(names == std::vector<std::string>{"rates", "rates", "weights", "weights"});
    CHECK(run() == document);
}

TEST_CASE("claims: what a norm does by its make: β and γ are a tanh input's mean and deviation") {
    const Json document = lab_test::read(claims(quick({"inputs"}), few_names(), {}));
    for (const Json& claim : document.at("claims")) {
        if (claim.at("measure").get<std::string>().starts_with("wander")) {
            CAPTURE(claim);
            CHECK(claim.at("with").at("mean").get<double>() < claim.at("without").at("mean").get<double>());
        }
    }
}

TEST_CASE("claims: one seed decides nothing") {
    ClaimsOptions options = quick({"weights"});
    options.seeds.count = 1;
    options.recipes.resize(1);
    const Json document = lab_test::read(claims(options, few_names(), {}));
    CHECK(document.at("claims").at(0).at("verdict").get<std::string>() == "undecided");
}

TEST_CASE("claims: bad input") {
    ClaimsOptions options = quick();
    options.steps = kFewestClaimSteps - 1;
    CHECK_THROWS_AS(claims(options, few_names(), {}), InputError);
    Material one = few_names();
    one.names.names.resize(1);
    CHECK_THROWS_AS(claims(quick(), one, {}), InputError);
}
