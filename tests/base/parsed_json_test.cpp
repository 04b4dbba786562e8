#include "base/parsed_json.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using text::json;

TEST_CASE("parsed json: every kind keeps its value, and no other is equal to it") {
    const char* texts[] = {"null", "false",        "true",  "0",     "-7",    "18446744073709551615",
                           "0.5",  "\"\"",         "\"ä\"", "[]",    "[[]]",  "[0,\"\",1]",
                           "{}",   "{\"a\":null}", "[1]",   "\"1\"", "[true]"};
    for (const std::string a : texts) {
        CHECK(json::parse(a).dump() == a);
        for (const std::string b : texts) {
            CAPTURE(a, b);
            CHECK((json::parse(a) == json::parse(b)) == (a == b));
        }
    }
    CHECK_THROWS(json::parse("[1,]"));
}

TEST_CASE("parsed json: numbers compare by value, and with nothing else") {
    const json all = json::parse("[-1, 0, 1, 1.0, 1.5, 9007199254740993, 9007199254740992, 18446744073709551615]");
    CHECK(all[2] == all[3]);
    CHECK(all[0] == -1);
    CHECK_FALSE(all[0] == std::numeric_limits<std::uint64_t>::max());
    CHECK(all[0] < 0);
    CHECK(all[4] > all[3]);
    CHECK(all[4] <= 1.5);
    CHECK_FALSE(all[5] == all[6]);
    CHECK(all[5] > all[6]);
    CHECK(all[7].get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    CHECK(all[0].get<int>() == -1);
    CHECK_FALSE(json("1") == 1);
    CHECK_FALSE(json(true) == 1);
    CHECK_THROWS_AS(json("1") < 2, std::bad_variant_access);
}

TEST_CASE("parsed json: items, and what is not there") {
    const json value = json::parse(R"({"b": [3, 4.5], "a": {"x": "y"}})");
    CHECK(value.size() == 2);
    CHECK(value["b"].get<std::vector<double>>() == std::vector{3.0, 4.5});
    CHECK(value["a"].get<std::map<std::string, std::string>>() == std::map<std::string, std::string>{{"x", "y"}});
    CHECK(json::array({"q", "p"}).get<std::set<std::string>>() == std::set<std::string>{"p", "q"});
    CHECK(value == json{{"a", {{"x", "y"}}}, {"b", {3, 4.5}}});
    CHECK_FALSE(value.contains("c"));
    CHECK_THROWS_AS(value["c"], std::out_of_range);
    CHECK_THROWS_AS(value["b"][2], std::out_of_range);
    CHECK_THROWS_AS(value["b"]["x"], std::bad_variant_access);
    CHECK_THROWS_AS(value["a"]["x"].get<double>(), std::bad_variant_access);
    json other = value;
    other["a"]["x"] = "z";
    CHECK_FALSE(other == value);
    CHECK(json::diff(value, other) == json::array({{{"op", "replace"}, {"path", "/a/x"}, {"value", "z"}}}));
    other["a"]["new"] = 0.25;
    other.erase("b");
    CHECK(other.dump() == R"({"a":{"new":0.25,"x":"z"}})");
}
