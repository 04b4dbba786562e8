#include "base/nearest.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using byhand::close_to;
using byhand::nearest;
using byhand::the_nearest;

TEST_CASE("nearest: the fewest insertions, deletions or replacements; the first of several") {
    const std::vector<std::string> known = {"dbnvar_inv", "dbnvar", "dbndiff", "bnvar", "C", "dC"};
    CHECK(nearest("dbnvar", known) == "dbnvar");
    CHECK(nearest("dBnvar", known) == "dbnvar");
    CHECK(nearest("dbnvar_in", known) == "dbnvar_inv");
    CHECK(nearest("bnvr", known) == "bnvar");
    CHECK(nearest("ddC", known) == "dC");
    CHECK(nearest("c", known) == "C");
    CHECK(nearest("", known) == "C");
    CHECK(nearest("ab", {"ax", "xb"}) == "ax");
    CHECK(nearest("kitten", {"mitten", "sitting"}) == "mitten");
    CHECK(nearest(std::string(1'000'000, 'x') + "dC", known) == "dbnvar_inv");  // without delay, whatever its text
}

TEST_CASE("nearest: a swap of adjacent letters is one edit") {
    CHECK(nearest("trian", {"trial", "train"}) == "trial");  // one as well, and the first
    CHECK(nearest("trian", {"trxal", "train"}) == "train");
    CHECK(nearest("abcd", {"bacdx", "badc"}) == "bacdx");  // two each
    CHECK(nearest("abcd", {"bacdxy", "badc"}) == "badc");
}

TEST_CASE("close_to: a word far from all has no near one") {
    const std::vector<std::string> known = {"dbnvar_inv", "dbnvar", "bnraw", "hpreact", "emb",
                                            "dprobs",     "C",      "dC",    "dW1",     "--steps"};
    CHECK(close_to("dbnvr", known) == "dbnvar");
    CHECK(close_to("--stpes", known) == "--steps");
    CHECK(close_to("DBNVAR_INV", known) == "dbnvar_inv");
    CHECK(close_to("dw1", known) == "dW1");
    CHECK(close_to("c", known) == "C");
    for (const std::string far : {"C.grad", "layers.0.weight", "my_extra", "loss", "--lr", "x", ""}) {
        CAPTURE(far);
        CHECK_FALSE(close_to(far, known));
        CHECK(the_nearest(far, known).empty());
    }
    CHECK_FALSE(close_to("dW1", {}));
    CHECK_FALSE(close_to(std::string(1'000'000, 'x') + "dC", known));
    CHECK(the_nearest("dbnvr", known) == "; the nearest is dbnvar");
}
