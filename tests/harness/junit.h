// JUnit's XML, read back and checked.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <regex>
#include <set>
#include <string>

#include "harness/xml.h"

namespace byhand::test {

using Keys = std::set<std::string>;

inline Keys keys_of(const Element& element) {
    Keys keys;
    for (const auto& [key, value] : element.attributes) {
        keys.insert(key);
    }
    return keys;
}

inline std::size_t children_with(const Element& suite, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::count_if(suite.children, [&](const Element& one) {
        return std::ranges::any_of(one.children, [&](const Element& child) { return child.name == name; });
    }));
}

// What both Ant's schema and Jenkins' ask for: which elements in which order, which attributes and of what form.
inline void check_case(const Element& one) {
    CHECK(keys_of(one) == Keys{"classname", "name", "time"});
    CHECK_FALSE(one.attributes.at("name").empty());
    CHECK_FALSE(one.attributes.at("classname").empty());
    CHECK(std::regex_match(one.attributes.at("time"), std::regex("[0-9]+(\\.[0-9]+)?")));
    CHECK(one.children.size() <= 1);
    for (const Element& child : one.children) {
        CHECK((child.name == "failure" || child.name == "skipped"));
        CHECK(child.children.empty());
        CHECK_FALSE(child.attributes.at("message").empty());
        CHECK(keys_of(child) == (child.name == "failure" ? Keys{"message", "type"} : Keys{"message"}));
    }
}

inline void check_suite(const Element& suite, std::size_t id) {
    CHECK(suite.name == "testsuite");
    CHECK(keys_of(suite) ==
          Keys{"errors", "failures", "hostname", "id", "name", "package", "skipped", "tests", "time", "timestamp"});
    CHECK(suite.attributes.at("id") == std::to_string(id));
    CHECK(std::regex_match(suite.attributes.at("timestamp"),
                           std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")));
    CHECK(std::regex_match(suite.attributes.at("time"), std::regex("[0-9]+(\\.[0-9]+)?")));
    REQUIRE(suite.children.size() >= 3);
    CHECK(suite.children.front().name == "properties");
    CHECK(suite.children[suite.children.size() - 2].name == "system-out");
    CHECK(suite.children.back().name == "system-err");
    const std::size_t cases = suite.children.size() - 3;
    for (std::size_t i = 1; i <= cases; ++i) {
        CHECK(suite.children[i].name == "testcase");
        check_case(suite.children[i]);
    }
    CHECK(suite.attributes.at("tests") == std::to_string(cases));
    CHECK(suite.attributes.at("failures") == std::to_string(children_with(suite, "failure")));
    CHECK(suite.attributes.at("skipped") == std::to_string(children_with(suite, "skipped")));
    CHECK(suite.attributes.at("errors") == "0");
}

// The report, whose every suite is checked.
inline Element read_junit(const std::string& text) {
    Element root = XmlReader::document(text);
    CHECK(root.name == "testsuites");
    CHECK(root.attributes.empty());
    for (std::size_t i = 0; i < root.children.size(); ++i) {
        check_suite(root.children[i], i);
    }
    return root;
}

inline const Element& case_of(const Element& suite, const std::string& classname, const std::string& name) {
    for (const Element& one : suite.children) {
        if (one.name == "testcase" && one.attributes.at("classname") == classname &&
            one.attributes.at("name") == name) {
            return one;
        }
    }
    FAIL("no test case " << classname << " " << name);
    return suite;
}

}  // namespace byhand::test
