#include "base/nearest.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/quantile.h"

using byhand::all_close_to;
using byhand::quantile;
using byhand::the_nearest;
using Words = std::vector<std::string>;

namespace {

const Words kKnown = {"dbnvar_inv", "dbnvar", "bnraw", "hpreact", "emb", "dprobs", "C", "dC", "dW1", "dW2", "--steps"};

}  // namespace

TEST_CASE("nearest: the names that begin with a word, the shortest first, before those that resemble it more") {
    CHECK(all_close_to("dbnvar", kKnown) == Words{"dbnvar", "dbnvar_inv"});
    CHECK(all_close_to("dbn", kKnown) == Words{"dbnvar", "dbnvar_inv"});
    CHECK(all_close_to("dW", kKnown) == Words{"dW1", "dW2"});
    CHECK(all_close_to("dvar", {"dvar-path-forgotten", "dvat"}) == Words{"dvar-path-forgotten"});
    CHECK(all_close_to("ab", {"abcd", "abc", "abcdef", "abcde"}) == Words{"abc", "abcd", "abcde"});
    CHECK(all_close_to("bnraw_grad", kKnown) == Words{"bnraw"});  // or that the word begins with
}

TEST_CASE("nearest: the fewest insertions, deletions, replacements and swaps of adjacent letters") {
    CHECK(all_close_to("bnrw", kKnown) == Words{"bnraw"});
    CHECK(all_close_to("ddC", kKnown) == Words{"dC"});
    CHECK(all_close_to("kitten", {"mitten", "sitting", "bitten"}) == Words{"mitten", "bitten"});
    CHECK(all_close_to("trian", {"trial", "train", "trxal"}) == Words{"trial", "train"});
    CHECK(all_close_to("abcdef", {"bacdxe", "badcef"}) == Words{"badcef"});  // three and two
    CHECK(all_close_to("c", {"C", "C"}) == Words{"C"});
}

TEST_CASE("nearest: an abbreviation, or a part of a name") {
    CHECK(all_close_to("dbvinv", kKnown) == Words{"dbnvar_inv"});
    CHECK(all_close_to("vinv", kKnown).empty());  // more letters are missing than there are
    CHECK(all_close_to("path-forgotten", {"dvar-path-forgotten", "sum-axis"}) == Words{"dvar-path-forgotten"});
}

TEST_CASE("nearest: a word far from all has no near one") {
    CHECK(all_close_to("dbnvr", kKnown).front() == "dbnvar");
    CHECK(all_close_to("--stpes", kKnown).front() == "--steps");
    CHECK(all_close_to("DBNVAR_INV", kKnown).front() == "dbnvar_inv");
    CHECK(all_close_to("dw1", kKnown).front() == "dW1");
    CHECK(all_close_to("c", kKnown).front() == "C");
    for (const std::string far : {"C.grad", "layers.0.weight", "my_extra", "loss", "--lr", "x", ""}) {
        CAPTURE(far);
        CHECK(all_close_to(far, kKnown).empty());
        CHECK(the_nearest(far, kKnown).empty());
    }
    CHECK(all_close_to("dW1", {}).empty());
    CHECK(all_close_to("", {""}).empty());
    CHECK(all_close_to(std::string(1'000'000, 'x') + "dC", kKnown).empty());  // without delay
    CHECK(the_nearest("dbnvr", kKnown) == "; the nearest is dbnvar");
    CHECK(the_nearest("dW", kKnown) == "; the nearest are dW1 and dW2");
    CHECK(the_nearest("ab", {"abc", "abcd", "abcde"}) == "; the nearest are abc, abcd and abcde");
}

TEST_CASE("quantile: interpolates linearly between neighbours") {
    CHECK(quantile({3, 1, 2}, 0.5) == 2);
    CHECK(quantile({4, 1, 2, 3}, 0.5) == 2.5);
    CHECK(quantile({4, 1, 2, 3}, 0) == 1);
    CHECK(quantile({4, 1, 2, 3}, 1) == 4);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    CHECK(quantile({1, kInfinity, kInfinity, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({1, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({7}, 0.9) == 7);
    // Infinite values above do not affect lower quantiles.
    CHECK(quantile({1, 2, std::numeric_limits<double>::infinity()}, 0.5) == 2);
}
