#include "base/parsed_json.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using byhand::Json;
using text::parsed_json;

TEST_CASE("parsed json: every kind of value is read, and equals no other") {
    const char* texts[] = {"null", "false",        "true",  "0",     "-7",    "18446744073709551615",
                           "0.5",  "\"\"",         "\"ä\"", "[]",    "[[]]",  "[0,\"\",1]",
                           "{}",   "{\"a\":null}", "[1]",   "\"1\"", "[true]"};
    for (const std::string a : texts) {
        std::string printed = printed_json(parsed_json(a), 0);
        std::erase_if(printed, [](char c) { return c == ' ' || c == '\n'; });
        CHECK(printed == a);
        for (const std::string b : texts) {
            CAPTURE(a, b);
            CHECK((parsed_json(a) == parsed_json(b)) == (a == b));
        }
    }
    CHECK_THROWS(parsed_json("[1,]"));
}

TEST_CASE("parsed json: members keep their order") {
    CHECK(printed_json(parsed_json(R"({"b": 1, "a": 2})"), 1) == "{\n \"b\": 1,\n \"a\": 2\n}");
}

TEST_CASE("parsed json: a difference is a patch of RFC 6902") {
    const Json from = {{"a", {{"x", "y"}}}, {"b", {3, 4.5}}}, to = {{"b", {3, 4.5}}, {"a", {{"x", "z"}}}};
    CHECK(text::diff(from, to) == Json::array({{{"op", "replace"}, {"path", "/a/x"}, {"value", "z"}}}));
    CHECK(text::diff(from, from) == Json::array());
}
