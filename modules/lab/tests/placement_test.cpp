#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"
#include "lab/training.h"

using namespace byhand;
using namespace byhand::lab;

namespace {

constexpr std::size_t kVariants = 9;

// Odd and unequal; an ε that tells its places apart.
Setup small() {
    Recipe recipe = lab_test::recipe("notes");
    test::set(recipe.network, &ShortForm::hidden, {11});
    recipe.network.embedding = 3;
    recipe.network.norm.epsilon = 0.5;
    recipe.batch = 7;
    return lab_test::setup({recipe}, 300);
}

Json run(const Setup& setup) {
    return lab_test::read(lab_test::run(placement_experiment(), setup));
}

const Json& document() {
    static const Json read = run(small());
    return read;
}

double loss_of(const char* study, std::size_t arm, std::size_t seed) {
    return document().at("studies").at(study).at("arms").at(arm).at("figures").at(0).at(seed).get<double>();
}

}  // namespace

TEST_CASE("placement: every variant has its losses, and no two are the same network") {
    std::vector<double> losses;
    for (std::size_t arm = 0; arm < kVariants; ++arm) {
        CHECK(loss_of("train", arm, 0) > 2);
        losses.push_back(loss_of("val", arm, 1));
    }
    std::ranges::sort(losses);
    CHECK(std::ranges::adjacent_find(losses) == losses.end());
}

TEST_CASE("placement: a variant's losses are those of its training") {
    const Setup setup = small();
    Training training{setup.recipes.front(), {}, {}, {}};
    test::set(training.recipe.network, &ShortForm::norm_place, "after");
    training.recipe.network.norm.epsilon_place = EpsilonPlace::outside;
    training.recipe.network.norm.affine = false;
    training.recipe.seed = 4;
    training.recipe.steps = 300;
    training.recipe.rates = {{0, 0.1}, {150, 0.01}};  // the recipe's, at half of its steps
    const Trained trained = train_one(training, setup.material);
    CHECK(loss_of("val", 8, 1) == trained.val);
    CHECK(loss_of("train", 8, 1) == trained.train);
    // The claims compare the variants that they name.
    const Json& claim = document().at("claims").at(2);
    CHECK(claim.at("claim").get<std::string>() == "After the non-linearity is better than before it");
    CHECK(claim.at("with").at("values").at(0).get<double>() == loss_of("val", 1, 0));
    CHECK(claim.at("without").at("values").at(0).get<double>() == loss_of("val", 0, 0));
}

TEST_CASE("placement: gradient by gradient beside LibTorch") {
    if (!lab_test::with_torch()) {
        SKIP("LibTorch is missing");
    }
    // Three networks, two references each: dlogits, dW1, dh, dC …; with a norm dhprebn and more, with γ and β theirs.
    const Json& torch = document().at("torch");
    REQUIRE(torch.size() == kVariants);
    const auto gradients = [&](std::size_t variant) { return torch.at(variant).at("gradients").get<int>(); };
    for (const Json& variant : torch) {
        CHECK(variant.at("verdict").get<std::string>() == "agrees");
        CHECK(variant.at("largest_share").get<double>() > 0);
    }
    CHECK(gradients(2) >= 3 * 10);
    CHECK(gradients(0) > gradients(2));
    CHECK(gradients(4) < gradients(0));  // no γ, β
}

TEST_CASE("placement: one seed, fewer steps than a window, without LibTorch") {
    Setup setup = small();
    setup.steps = 3;
    setup.seeds = {1};
    setup.setting = {};
    const Json read = run(setup);
    CHECK(read.at("studies").at("val").at("arms").at(2).at("figures").at(0).size() == 1);
    CHECK_FALSE(read.contains("torch"));
}
