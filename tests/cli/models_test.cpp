#include <catch2/catch_test_macros.hpp>
#include <string>

#include "cli/dropout_recipe.h"
#include "cli/losses.h"
#include "cli/names.h"

// Whoever computes, the losses are the same.

namespace cli_test {
namespace {

void check_models(const Arguments& flags) {
    const Folder folder;
    folder.write("n", file_of(world_names()));
    const Arguments all = Arguments{"--data", "n", "--steps", "300", "--log-every", "1", "--no-save"} + flags;
    const Losses first = losses_of(folder, models().front(), all);
    CHECK(first.steps.size() == 300);
    CHECK(first.steps.at(299) < 0.9 * first.steps.at(0));  // it learns
    for (const std::string& model : models()) {
        CAPTURE(model, flags);
        check_close(losses_of(folder, model, all), first, 1e-4);
    }
}

std::string without_gains(const Folder& folder) {
    std::string text = byhand(folder, {"recipes", "notes"}).out;
    const std::string affine = "\"affine\": true";
    return text.replace(text.find(affine), affine.size(), "\"affine\": false");
}

}  // namespace

TEST_CASE("every model learns alike: one layer") {
    check_models({});
    check_models({"--recipe", "makemore-bn"});
    check_models({"--recipe", "makemore-ninja", "--hidden", "64"});
}

TEST_CASE("every model learns alike: layers narrower than the vocabulary") {
    for (const std::string width : {"1", "2", "5", "13"}) {
        check_models({"--hidden", width});
    }
    check_models({"--hidden", "3", "--norm", "after"});
    check_models({"--hidden", "3", "--norm", "none"});
}

TEST_CASE("every model learns alike: several layers") {
    check_models({"--hidden", "17,11"});
    check_models({"--hidden", "7,1,5", "--context", "1", "--embedding", "1"});
    check_models({"--recipe", "makemore-deep", "--hidden", "15,14,13"});
}

TEST_CASE("every model learns alike: wherever the norm stands, and without one") {
    for (const std::string place : {"before", "after", "none"}) {
        check_models({"--norm", place, "--hidden", "31"});
        check_models({"--norm", place, "--hidden", "19,9"});
    }
    check_models({"--bn-variance", "biased", "--batch", "7"});
    check_models({"--bn-eps", "0.1", "--hidden", "21"});
}

TEST_CASE("every model learns alike: a norm without gain and bias") {
    const Folder folder;
    folder.write("r.json", without_gains(folder));
    check_models({"--recipe", folder.file("r.json")});
    check_models({"--recipe", folder.file("r.json"), "--norm", "after", "--hidden", "9,21"});
}

TEST_CASE("every model learns alike: dropouts, a residual and tied weights") {
    const Folder folder;
    folder.write("r.json", dropout_recipe(folder));
    check_models({"--recipe", folder.file("r.json"), "--batch", "13"});
}

}  // namespace cli_test
