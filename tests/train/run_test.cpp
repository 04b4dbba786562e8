#include "train/run.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/message_of.h"
#include "train/small_run.h"

using namespace byhand;
using small_run::kNames;
using small_run::names_file;

namespace {

Recipe small_recipe() {
    Recipe recipe = small_run::recipe();
    recipe.network.norm.batch_divisor = Divisor::n_minus_1;
    recipe.batch = 3;
    return recipe;
}

std::string refusal(const Recipe& recipe, NamesFile data = names_file()) {
    return test::message_of([&] { prepare(recipe, std::move(data), "names.txt"); });
}

std::size_t characters(const Names& names) {
    std::size_t all = 0;
    for (const std::u32string_view name : names) {
        all += name.size() + 1;  // including its end
    }
    return all;
}

}  // namespace

TEST_CASE("run: prepares its vocabulary, its parts and its examples") {
    Recipe recipe = small_recipe();
    recipe.network.vocabulary = 999;  // determined by the data
    const Run run = prepare(recipe, names_file(), "names.txt");
    CHECK(run.vocabulary.characters == U".abdnoëč");
    CHECK(run.recipe.network.vocabulary == 8);
    CHECK(run.names.train.size() == 4);
    CHECK(run.names.val.size() == 2);
    CHECK(run.names.test.size() == 2);
    Names all = run.names.train;
    all.insert(all.end(), run.names.val.begin(), run.names.val.end());
    all.insert(all.end(), run.names.test.begin(), run.names.test.end());
    CHECK(std::is_permutation(all.begin(), all.end(), kNames.begin(), kNames.end()));
    CHECK(run.train.size() == characters(run.names.train));
    CHECK(run.val.size() == characters(run.names.val));
    CHECK(run.test.size() == characters(run.names.test));
    for (const Examples* part : {&run.train, &run.val, &run.test}) {
        CHECK(part->context == 2);
        CHECK(part->all().X.size() == 2 * part->size());
    }
    const auto table = state(run.recipe.network);
    REQUIRE(run.initial.table().size() == table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        CHECK(run.initial.table()[i].name == table[i].name);
        CHECK(run.initial.table()[i].shape == table[i].shape);
    }
    CHECK(run.initial["C"].size() == 8 * 3);
}

TEST_CASE("run: one generator draws the initial values, and then the batches") {
    const Run run = prepare(small_recipe(), names_file(), "names.txt");
    TorchGenerator generator = torch_seeded(77);
    std::vector<float> C(8 * 3);
    randn(generator, C);
    CHECK(std::equal(C.begin(), C.end(), run.initial["C"].begin()));
    for (const std::size_t drawn : {2U * 3U * 5U, 5U * 8U, 5U, 8U}) {  // W1, W2, b1, b2
        std::vector<float> values(drawn);
        randn(generator, values);
    }
    CHECK(run.generator == generator);
}

TEST_CASE("run: batches with a separate seed do not affect the initial values") {
    Recipe recipe = small_recipe();
    recipe.batch_seed = 5;
    const Run run = prepare(recipe, names_file(), "names.txt");
    CHECK(run.generator == torch_seeded(5));
    const Run other = prepare(small_recipe(), names_file(), "names.txt");
    CHECK(std::equal(run.initial["W1"].begin(), run.initial["W1"].end(), other.initial["W1"].begin()));
    CHECK_FALSE(run.generator == other.generator);
}

TEST_CASE("run: the split's seed changes the names, not the initial values") {
    Recipe recipe = small_recipe();
    recipe.split_seed = 43;
    const Run run = prepare(recipe, names_file(), "names.txt"),
              other = prepare(small_recipe(), names_file(), "names.txt");
    CHECK(run.names.train != other.names.train);
    CHECK(run.generator == other.generator);
}

TEST_CASE("run: invalid runs are refused") {
    REQUIRE(refusal(small_recipe()).empty());
    Recipe one_row = small_recipe();
    one_row.batch = 1;
    CHECK(refusal(one_row).find("a batch of 1 row has no unbiased variance") != std::string::npos);
    one_row.network.norm.batch_divisor = one_row.network.norm.running_divisor = Divisor::n;
    CHECK(refusal(one_row).empty());
    Recipe no_width = small_recipe();
    hidden_linears(no_width.network).front()->outputs = 0;
    CHECK(refusal(no_width).find("outputs") != std::string::npos);
    Recipe no_rule = small_recipe();
    no_rule.initial.pop_back();
    CHECK(refusal(no_rule).find("bnbias") != std::string::npos);
    const std::string few = refusal(small_recipe(), names_file({U"ana", U"bo"}));
    CHECK(few.find("names.txt") != std::string::npos);
    CHECK(few.find('\n') == std::string::npos);
}
