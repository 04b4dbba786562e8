// Every model that trains on a recipe has the same losses.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

#include "base/source_file.h"
#include "train/all_models.h"

using namespace byhand;
using namespace byhand::test;

namespace {

constexpr double kLimit = 1e-4;

// Trains each model, and returns the first.
Trained check_models(const Arguments& options, std::size_t steps) {
    Trained first = trained(models().front(), options, steps);
    for (const std::string& model : models()) {
        CAPTURE(model, options);
        const Trained other = trained(model, options, steps);
        REQUIRE(other.losses.size() == first.losses.size());
        for (const auto& [step, loss] : first.losses) {
            REQUIRE(std::abs(other.losses.at(step) - loss) <= kLimit);
        }
        CHECK(std::abs(other.train - first.train) <= kLimit);
        CHECK(std::abs(other.val - first.val) <= kLimit);
        CHECK(std::abs(other.test - first.test) <= kLimit);
    }
    return first;
}

// Settings that no recipe has: 20,000 steps on the shipped names.
void check_long_run(const std::string& hidden) {
    const Trained first = check_models(
        {"--hidden", hidden, "--embedding", "12", "--context", "5", "--batch", "20", "--seed", "4242"}, 20'000);
    CHECK(first.val < 2.5);
}

}  // namespace

TEST_CASE("every model learns alike: one layer and several, with and without norms, dropouts and residuals") {
    const Arguments options =
        GENERATE(values<Arguments>({{"--recipe", "makemore-ninja", "--hidden", "64"},
                                    {"--hidden", "1"},
                                    {"--hidden", "13", "--norm", "none"},
                                    {"--hidden", "7,1,5", "--context", "1", "--embedding", "1"},
                                    {"--recipe", "makemore-deep", "--hidden", "15,14,13"},
                                    {"--norm", "after", "--hidden", "19,9", "--batch", "7"},
                                    {"--bn-variance", "biased", "--bn-eps", "0.1"},
                                    {"--recipe", text::test_recipe("no-gain"), "--norm", "after"},
                                    {"--recipe", text::test_recipe("dropout"), "--batch", "13"}}));
    const Trained first = check_models(options, 300);
    CHECK(first.losses.size() == 300);
    CHECK(first.train < first.losses.at(0));  // it learns
}

TEST_CASE("long runs alike: one layer of 150", "[long]") {
    check_long_run("150");
}
TEST_CASE("long runs alike: two layers", "[long]") {
    check_long_run("31,17");
}
TEST_CASE("long runs alike: three layers", "[long]") {
    check_long_run("40,30,20");
}
TEST_CASE("long runs alike: four layers", "[long]") {
    check_long_run("33,29,25,21");
}
TEST_CASE("long runs alike: five layers", "[long]") {
    check_long_run("21,22,23,24,25");
}
