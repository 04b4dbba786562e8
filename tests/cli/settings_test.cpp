#include <catch2/catch_test_macros.hpp>
#include <string>

#include "cli/losses.h"

// Settings that no recipe has: 20,000 steps on the shipped names; every model makes the same losses.

namespace cli_test {
namespace {

void same_losses(const std::string& hidden) {
    const Folder folder;
    const Arguments flags = {"--hidden", hidden, "--embedding", "12",    "--context",   "5",   "--batch",  "20",
                             "--seed",   "4242", "--steps",     "20000", "--log-every", "500", "--no-save"};
    const Losses first = losses_of(folder, "fused", flags);
    CHECK(first.steps.size() == 41);
    CHECK(first.final.at("val") < 2.5);
    for (const std::string& model : models()) {
        if (model != "fused") {
            CAPTURE(model);
            check_close(losses_of(folder, model, flags), first, 1e-4);
        }
    }
}

}  // namespace

TEST_CASE("long runs alike: one layer of 150", "[long]") {
    same_losses("150");
}
TEST_CASE("long runs alike: two layers", "[long]") {
    same_losses("31,17");
}
TEST_CASE("long runs alike: three layers", "[long]") {
    same_losses("40,30,20");
}
TEST_CASE("long runs alike: four layers", "[long]") {
    same_losses("33,29,25,21");
}
TEST_CASE("long runs alike: five layers", "[long]") {
    same_losses("21,22,23,24,25");
}

}  // namespace cli_test
