#include "recipe/shipped.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "base/change_network.h"
#include "base/network.h"
#include "recipe/recipe.h"

using namespace byhand;
using byhand::test::shipped;
using byhand::test::shipped_text;

namespace {

const std::set<std::string> kNames = {"notes",      "makemore-bn",      "makemore-deep", "makemore-ninja",
                                      "wide",       "deepwide",         "bigbatch",      "mlp-relu-layernorm",
                                      "resnet-mlp", "makemore-wavenet", "opennn"};

}  // namespace

TEST_CASE("shipped recipes: the folder contains exactly these files") {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(BYHAND_RECIPES)) {
        found.insert(entry.path().filename().string());
    }
    std::set<std::string> expected;
    for (const std::string& name : kNames) {
        expected.insert(name + ".json");
    }
    CHECK(found == expected);
}

TEST_CASE("shipped recipes: each is its own normalised text, and has initial values") {
    for (const std::string& name : kNames) {
        CAPTURE(name);
        const Recipe recipe = shipped(name);
        CHECK(recipe.name == name);
        CHECK_FALSE(recipe.about.empty());
        CHECK(recipe_from_json(to_json(recipe), name) == recipe);
        CHECK(to_json(recipe) == shipped_text(name));  // every default is written out
        check_network(recipe.network, recipe.batch);
        TorchGenerator g = torch_seeded(recipe.seed);
        const Tensors<float> tensors = initial_state(recipe, g);
        for (const TensorSpec& spec : tensors.table()) {
            const auto values = tensors[spec.name];
            CHECK(std::ranges::none_of(values, [](const float& value) { return is_unwritten(&value); }));
        }
        CHECK(recipe.split_seed == 42);
        CHECK(recipe.first_cut == 0.8);
        CHECK(recipe.second_cut == 0.9);
        CHECK(recipe.seed == (name == "makemore-wavenet" ? 42 : 2147483647));
        CHECK_FALSE(recipe.batch_seed);
    }
}

// The lectures print 12,097 and 47,024; 12,297 is the first with the 200 biases that the norm makes redundant.
TEST_CASE("shipped recipes: the published runs have their published sizes") {
    CHECK(parameter_count(shipped("makemore-bn").network) == 12097);
    CHECK(parameter_count(shipped("makemore-deep").network) == 47024);
    CHECK(parameter_count(shipped("makemore-ninja").network) == 12297);
    CHECK(parameter_count(shipped("makemore-wavenet").network) == 76579);
    CHECK(shipped("makemore-deep").steps == 1001);
    CHECK(shipped("makemore-deep").sample_seed == 2147483647U + 10);
    for (const char* name : {"notes", "makemore-bn", "makemore-ninja"}) {
        const Recipe recipe = shipped(name);
        CHECK(recipe.steps == 200000);
        CHECK(rate_at(recipe, 99999) == 0.1);
        CHECK(rate_at(recipe, 100000) == 0.01);
    }
    CHECK(rate_at(shipped("makemore-deep"), 149999) == 0.1);
    CHECK(rate_at(shipped("makemore-deep"), 150000) == 0.01);
}

TEST_CASE("shipped recipes: each run's norm has the conventions of its source") {
    const NormConfig notes = shipped("notes").network.norm;  // Bessel's correction, 1e-5 under the root
    NormConfig expected;
    expected.momentum = 0.001;
    CHECK(notes == expected);

    NormConfig bn = expected;  // running standard deviation, no epsilon
    bn.running_spread = RunningSpread::deviation;
    bn.epsilon = 0;
    CHECK(shipped("makemore-bn").network.norm == bn);

    NormConfig deep = expected;  // after every linear, 0.9·old + 0.1·new
    deep.momentum = 0.1;
    CHECK(shipped("makemore-deep").network.norm == deep);
    CHECK(shipped("makemore-deep").network.layers.back().op == op::kBatchnorm);

    NormConfig ninja = expected;
    ninja.evaluation = EvaluationFigures::training_set;
    CHECK(shipped("makemore-ninja").network.norm == ninja);

    NormConfig module;  // torch.nn.BatchNorm1d: divisor n for the batch, n - 1 for the running variance
    module.batch_divisor = Divisor::n;
    for (const char* name : {"wide", "deepwide", "bigbatch"}) {
        CHECK(shipped(name).network.norm == module);
    }
}

TEST_CASE("shipped recipes: the bench shapes") {
    const auto is = [](const char* name, std::size_t embedding, std::size_t context,
                       const std::vector<std::size_t>& hidden, std::size_t batch) {
        const Recipe recipe = shipped(name);
        return recipe.network.embedding == embedding && recipe.network.context == context &&
               test::widths(recipe.network) == hidden && recipe.batch == batch;
    };
    CHECK(is("notes", 2, 3, {100}, 32));
    CHECK(is("wide", 64, 8, {1024}, 256));
    CHECK(is("deepwide", 64, 8, {1024, 1024, 1024, 1024}, 256));
    CHECK(is("bigbatch", 10, 3, {200}, 4096));
    CHECK(is("opennn", 7, 4, {300, 300, 300, 300, 300}, 100));  // 28 inputs, as many as HIGGS has
}
