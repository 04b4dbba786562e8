#include "lab/placement/placement.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <string>
#include <vector>

#include "lab/tests/read.h"
#include "lab/tests/recipes.h"
#include "lab/training.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

namespace {

const std::vector<std::string> kVariants = {"before",         "after",        "none",
                                            "before_outside", "before_plain", "before_outside_plain",
                                            "after_outside",  "after_plain",  "after_outside_plain"};

// Odd and unequal; an ε that tells its places apart.
PlacementOptions small() {
    PlacementOptions options{lab_test::recipe("notes"), 300, {3, 2}};
    options.recipe.network.hidden = {11};
    options.recipe.network.embedding = 3;
    options.recipe.network.norm.epsilon = 0.5;
    options.recipe.batch = 7;
    return options;
}

const Json& document() {
    static const Json read = lab_test::read(placement(small(), lab_test::names(), lab_test::setting()));
    return read;
}

}  // namespace

TEST_CASE("placement: every variant has its losses, and no two are the same network") {
    std::vector<double> losses;
    for (const std::string& variant : kVariants) {
        CAPTURE(variant);
        CHECK(document().at(variant).at("train").get<double>() > 2);
        CHECK(document().at(variant).at("seeds").size() == 2);
        losses.push_back(document().at(variant).at("val").get<double>());
    }
    std::ranges::sort(losses);
    CHECK(std::ranges::adjacent_find(losses) == losses.end());
}

TEST_CASE("placement: a variant's losses are those of its training") {
    Training training{small().recipe, {}, {}, {}};
    training.recipe.network.norm.place = NormPlace::after;
    training.recipe.network.norm.epsilon_place = EpsilonPlace::outside;
    training.recipe.network.norm.affine = false;
    training.recipe.seed = 4;
    training.recipe.steps = 300;
    training.recipe.rates = {{0, 0.1}, {150, 0.01}};  // the recipe's, at half of its steps
    const Trained trained = train_one(training, lab_test::names());
    const Json& seed = document().at("after_outside_plain").at("seeds").at(1);
    CHECK(seed.at("val").get<double>() == trained.val);
    CHECK(seed.at("train").get<double>() == trained.train);
    const Json& seeds = document().at("before").at("seeds");
    CHECK_THAT(document().at("before").at("val").get<double>(),
               WithinAbs((seeds.at(0).at("val").get<double>() + seeds.at(1).at("val").get<double>()) / 2, 1e-12));
}

TEST_CASE("placement: gradient by gradient beside LibTorch") {
    if (!lab_test::with_torch()) {
        SKIP("LibTorch is missing");
    }
    for (const std::string& variant : kVariants) {
        CAPTURE(variant);
        const Json& torch = document().at(variant).at("torch");
        CHECK(torch.at("agrees").get<bool>());
        std::vector<std::string> names;
        for (const Json& gradient : torch.at("gradients")) {
            names.push_back(gradient.at("name").get<std::string>());
        }
        const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
        const bool none = variant == "none", plain = variant.ends_with("plain");
        CHECK(has("dW1"));
        CHECK(has("dC"));
        CHECK(has("dhprebn") == !none);
        CHECK(has("dbngain") == !(none || plain));
    }
}

TEST_CASE("placement: one seed, fewer steps than a window, without LibTorch") {
    PlacementOptions options = small();
    options.steps = 3;
    options.seeds = {1, 1};
    const Json read = lab_test::read(placement(options, lab_test::names(), {}));
    CHECK(read.at("none").at("seeds").size() == 1);
    CHECK_FALSE(read.at("none").contains("torch"));
}
