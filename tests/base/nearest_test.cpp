#include "base/nearest.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using byhand::nearest;

TEST_CASE("nearest: the fewest letters put in, taken out or exchanged; the first of several") {
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
    CHECK(nearest(std::string(1'000'000, 'x') + "dC", known) == "dbnvar_inv");  // at once, whatever it says
}
