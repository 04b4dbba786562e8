#include "harness/junit.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

namespace byhand::test {

namespace {

// The text with each run of digits as one 0.
std::string form_of(const std::string& text) {
    std::string form;
    for (const char character : text) {
        const bool digit = character >= '0' && character <= '9';
        if (!digit || !form.ends_with('0')) {
            form += digit ? '0' : character;
        }
    }
    return form;
}

bool is_number(const std::string& text) {
    return form_of(text) == "0" || form_of(text) == "0.0";
}

using Keys = std::set<std::string>;

Keys keys_of(const Element& element) {
    Keys keys;
    for (const auto& [key, value] : element.attributes) {
        keys.insert(key);
    }
    return keys;
}

std::size_t children_with(const Element& suite, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::count_if(suite.children, [&](const Element& one) {
        return std::ranges::any_of(one.children, [&](const Element& child) { return child.name == name; });
    }));
}

// What both Ant's schema and Jenkins' ask for: which elements in which order, which attributes and of what form.
void check_case(const Element& one) {
    CHECK(keys_of(one) == Keys{"classname", "name", "time"});
    CHECK_FALSE(one.attributes.at("name").empty());
    CHECK_FALSE(one.attributes.at("classname").empty());
    CHECK(is_number(one.attributes.at("time")));
    CHECK(one.children.size() <= 1);
    for (const Element& child : one.children) {
        CHECK((child.name == "failure" || child.name == "skipped"));
        CHECK(child.children.empty());
        CHECK_FALSE(child.attributes.at("message").empty());
        CHECK(keys_of(child) == (child.name == "failure" ? Keys{"message", "type"} : Keys{"message"}));
    }
}

void check_suite(const Element& suite, std::size_t id) {
    CHECK(suite.name == "testsuite");
    CHECK(keys_of(suite) ==
          Keys{"errors", "failures", "hostname", "id", "name", "package", "skipped", "tests", "time", "timestamp"});
    CHECK(suite.attributes.at("id") == std::to_string(id));
    CHECK(form_of(suite.attributes.at("timestamp")) == "0-0-0T0:0:0");
    CHECK(is_number(suite.attributes.at("time")));
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

}  // namespace

Element read_junit(const std::string& text) {
    Element root = XmlReader::document(text);
    CHECK(root.name == "testsuites");
    CHECK(root.attributes.empty());
    for (std::size_t i = 0; i < root.children.size(); ++i) {
        check_suite(root.children[i], i);
    }
    return root;
}

const Element& case_of(const Element& suite, std::string_view classname, std::string_view name) {
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
