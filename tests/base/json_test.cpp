#include "base/json.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/parsed_json.h"

using byhand::compact_text;
using byhand::Json;
using byhand::printed_json;
using byhand::readable_text;
using nlohmann::ordered_json;
using text::parsed_json;

namespace {

// nlohmann's text, the reference for ours byte by byte.
std::string theirs(const ordered_json& value, int indent = 1) {
    return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

// The same braces, read by either type.
#define CHECK_SAME(...)                                                              \
    do {                                                                             \
        const Json ours_(__VA_ARGS__);                                               \
        const ordered_json theirs_(__VA_ARGS__);                                     \
        CHECK(printed_json(ours_, 1) == theirs(theirs_));                            \
        CHECK(printed_json(ours_, 2) == theirs(theirs_, 2));                         \
        CHECK(theirs(ordered_json::parse(readable_text(ours_))) == theirs(theirs_)); \
        CHECK(compact_text(ours_) == theirs(theirs_, -1));                           \
    } while (false)

}  // namespace

TEST_CASE("json: numbers of all magnitudes print as nlohmann's") {
    for (const double value : {0.0, -0.0, 1.0, -1.0, 0.1, 1.0 / 3, 2.5, 1e15, 1e16, 123456789012345680.0, 1e300, -1e300,
                               1e-300, 5e-324, 1e-5, 1e-4, 0.001, 1.7976931348623157e308, 2.2250738585072014e-308}) {
        CHECK_SAME(value);
        CHECK_SAME(static_cast<float>(value));  // including an infinity: null
    }
    std::mt19937_64 bits(7);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t drawn = bits();
        double value = 0;
        static_assert(sizeof value == sizeof drawn);
        std::memcpy(&value, &drawn, sizeof value);
        REQUIRE(printed_json(value, 1) == theirs(value));
    }
}

TEST_CASE("json: integers and bools print as nlohmann's, up to their limits") {
    CHECK_SAME(0);
    CHECK_SAME(-7);
    CHECK_SAME(std::numeric_limits<std::int64_t>::min());
    CHECK_SAME(std::numeric_limits<std::int64_t>::max());
    CHECK_SAME(std::numeric_limits<std::uint64_t>::max());
    CHECK_SAME(std::size_t{18});
    CHECK_SAME(static_cast<unsigned char>(200));
    CHECK_SAME(true);
    CHECK_SAME(false);
    CHECK_SAME(nullptr);
}

TEST_CASE("json: non-finite numbers are null, or named by number()") {
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(printed_json(std::nan(""), 1) == "null");
    CHECK(printed_json(byhand::number(std::nan("")), 1) == "\"nan\"");
    CHECK(printed_json(byhand::number(infinity), 1) == "\"inf\"");
    CHECK(printed_json(byhand::number(-infinity), 1) == "\"-inf\"");
    CHECK(printed_json(byhand::number(0.5), 1) == "0.5");
    CHECK(printed_json(byhand::number(std::nullopt), 1) == "null");
}

TEST_CASE("json: strings are escaped as by nlohmann, and DEL and C1 as well") {
    const std::string texts[] = {"", "\"\\/\b\f\n\r\t\x01\x1f", std::string("a\0b", 3), "é ∂ 名 🙂"};
    for (const std::string& text : texts) {
        CHECK_SAME(text);
        CHECK_SAME({{text, text}});
    }
    for (const char* invalid : {"\xff", "a\xc3", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80", "x\x80y"}) {
        CHECK(printed_json(invalid, 1) == theirs(invalid));
        CHECK(printed_json({{invalid, 1}}, 1) == theirs({{invalid, 1}}));
        CHECK_THROWS(readable_text(invalid));
    }
    CHECK(printed_json("\x7f \xc2\x80 \xc2\x9f \xc2\xa0", 1) == "\"\\u007f \\u0080 \\u009f \xc2\xa0\"");
    CHECK(printed_json({{"\x7f", 1}}, 1) == "{\n \"\\u007f\": 1\n}");
}

TEST_CASE("json: a list of pairs that begin with a string is an object, any other an array") {
    CHECK_SAME({{"a", 1}, {"b", nullptr}, {"c", {1, 2.5, "x"}}});
    CHECK_SAME({{"a", "b"}});
    CHECK_SAME({"a", "b"});
    CHECK_SAME({{"a", "b"}, {"c", "d", "e"}});
    CHECK_SAME({{"a", "b"}, {1, "d"}});
    CHECK_SAME({{{"a", 1}}, {{"b", {{"c", 3}}}}});
    CHECK_SAME({{"values", {{{"index", 1}, {"label", ""}}}}});
    CHECK_SAME({{"same", 1}, {"other", 2}, {"same", 3}});
    CHECK_SAME({{"z", 1}, {"a", 2}, {"m", {{"z", 3}, {"b", 4}}}});
    CHECK_SAME({{"widths", std::vector<std::size_t>{200, 100}},
                {"none", std::vector<double>()},
                {"pairs", std::vector<std::string>{"a", "b"}},
                {"nested", std::vector<std::vector<float>>{{0.1F}, {}, {2, 3}}}});
}

namespace {

// Built step by step, with either type.
template <class J>
J grown() {
    J json = J::object();
    json["empty"] = {{"list", J::array()}, {"object", J::object()}, {"null", J()}};
    json["list"].push_back(1);
    json["list"].push_back({{"key", "value"}});
    json["list"].push_back(J::array({"a", J::array({"b", 1})}));
    json["list"][1]["more"] = true;
    json["list"][0] = json["list"][1];
    json["deep"]["deeper"]["deepest"] = J::array({0.5, J::object()});
    json["empty"]["null"] = 3;
    json.update({{"deep", 1}, {"new", J::array({J::array({"pair", 2})})}});
    return json;
}

}  // namespace

TEST_CASE("json: added members have the same position as in nlohmann's ordered_json") {
    const Json ours = grown<Json>();
    const ordered_json theirs_grown = grown<ordered_json>();
    CHECK(printed_json(ours, 1) == theirs(theirs_grown));
    CHECK(ordered_json::parse(readable_text(ours)) == theirs_grown);
    for (const Json& empty : {Json(), Json::array(), Json::object()}) {
        CHECK(empty.empty());
        CHECK(printed_json(empty, 1) == readable_text(empty));
    }
    CHECK(printed_json(Json::array(), 1) == "[]");
    CHECK(printed_json(Json::object(), 1) == "{}");
    CHECK_FALSE(ours.empty());
    CHECK_FALSE(Json("").empty());
    CHECK_THROWS(Json("text").push_back(1));
    CHECK_THROWS(Json(1)["key"]);
}

TEST_CASE("json: a value is readable only as its own kind") {
    const Json value = {{"whole", 7}, {"part", 2.5}, {"below", -3}, {"yes", true}, {"text", "t"}, {"list", {1, 0.5}}};
    CHECK(value.size() == 6);
    CHECK(value.at("whole").get<double>() == 7);
    CHECK(value.at("below").get<int>() == -3);
    CHECK(value.at("below").get<float>() == -3);
    CHECK(Json(std::numeric_limits<std::uint64_t>::max()).get<double>() == 18446744073709551616.0);
    CHECK(value.at("part").get<float>() == 2.5F);
    CHECK(value.at("yes").get<bool>());
    CHECK(value.at("text").get<std::string>() == "t");
    CHECK(value.at("list").get<std::vector<double>>() == std::vector{1.0, 0.5});
    CHECK(Json::array({"q", "p", "q"}).get<std::set<std::string>>() == std::set<std::string>{"p", "q"});
    CHECK(Json{{"x", 1}, {"a", 2}}.get<std::map<std::string, int>>() == std::map<std::string, int>{{"a", 2}, {"x", 1}});
    CHECK(value["list"][1].is_number());
    CHECK(value["list"].back().get<double>() == 0.5);
    CHECK(value.find("none") == nullptr);
    CHECK(value.at("list").find("none") == nullptr);
    CHECK(value.contains("list"));
    CHECK_FALSE(value.contains("none"));
    CHECK(Json("text").size() == 0);
    CHECK_THROWS_AS(value["none"], std::out_of_range);
    CHECK_THROWS_AS(value["list"][2], std::out_of_range);
    CHECK_THROWS_AS(Json::array().back(), std::out_of_range);
    CHECK_THROWS_AS(value["list"]["key"], std::bad_variant_access);
    CHECK_THROWS_AS(value.begin(), std::bad_variant_access);
    CHECK_THROWS_AS(value["list"].items(), std::bad_variant_access);
    CHECK_THROWS_AS(value.at("text").get<double>(), std::bad_variant_access);
    CHECK_THROWS_AS(value.at("whole").get<bool>(), std::bad_variant_access);
}

TEST_CASE("json: items and members keep their order, without erased ones") {
    Json value = {{"b", {3, 4, 5}}, {"a", 2}, {"c", nullptr}};
    double sum = 0;
    for (const Json& item : value["b"]) {
        sum = 10 * sum + item.get<double>();
    }
    CHECK(sum == 345);
    const Json none = Json::array();
    CHECK(none.begin() == none.end());
    value.erase("a");
    value.erase("none");
    std::string keys;
    for (const auto& [key, item] : value.items()) {
        keys += key;
    }
    CHECK(keys == "bc");
}

TEST_CASE("json: numbers are equal by value, objects in any order of keys, and no other kinds") {
    const auto equal = [](const Json& a, const Json& b) { return a == b && b == a; };
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    CHECK(equal(1, 1.0));
    CHECK(equal(1, std::size_t{1}));
    CHECK(equal(-1, -1.0));
    CHECK_FALSE(equal(-1, kMost));
    CHECK_FALSE(equal(1, 1.5));
    CHECK_FALSE(equal(std::int64_t{9007199254740993}, std::int64_t{9007199254740992}));
    CHECK_FALSE(equal(std::nan(""), std::nan("")));
    CHECK_FALSE(equal("1", 1));
    CHECK_FALSE(equal(true, 1));
    CHECK_FALSE(equal(nullptr, false));
    CHECK_FALSE(equal(nullptr, Json::array()));
    CHECK_FALSE(equal(Json::object(), Json::array()));
    CHECK(equal({{"a", 1}, {"b", {2, "x"}}}, {{"b", {2.0, "x"}}, {"a", 1}}));
    CHECK_FALSE(equal({{"a", 1}, {"b", 2}}, {{"a", 1}, {"c", 2}}));
    CHECK_FALSE(equal({{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 3}}));
    CHECK_FALSE(equal({{"a", 1}}, {{"a", 1}, {"b", 2}}));
    CHECK_FALSE(equal({1, 2}, {2, 1}));
}

TEST_CASE("json: readable text breaks up values that exceed 100 columns") {
    const std::string fits(86, 'x'), too_long(87, 'x');
    CHECK(readable_text({{"a", {fits, 1}}}) == "{\n  \"a\": [\"" + fits + "\", 1]\n}");
    CHECK(readable_text({{"a", {too_long, 1}}}) == "{\n  \"a\": [\n    \"" + too_long + "\",\n    1\n  ]\n}");
    CHECK(readable_text({{"a", {{"b", 1}, {"c", Json::array()}}}}) == "{\n  \"a\": {\"b\": 1, \"c\": []}\n}");
    CHECK(readable_text(Json::array({1, 2})) == "[\n  1,\n  2\n]");
}

// ---- the reader ----

TEST_CASE("json: every kind of value is read, and equals no other") {
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

TEST_CASE("json: members that are read keep their order") {
    CHECK(printed_json(parsed_json(R"({"b": 1, "a": 2})"), 1) == "{\n \"b\": 1,\n \"a\": 2\n}");
}

TEST_CASE("json: a difference is a patch of RFC 6902") {
    const Json from = {{"a", {{"x", "y"}}}, {"b", {3, 4.5}}}, to = {{"b", {3, 4.5}}, {"a", {{"x", "z"}}}};
    CHECK(text::diff(from, to) == Json::array({{{"op", "replace"}, {"path", "/a/x"}, {"value", "z"}}}));
    CHECK(text::diff(from, from) == Json::array());
}
