#include "report/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

// Ant's schema of JUnit reports lets the root have no attributes, wants id, package, hostname and timestamp of every
// suite, properties before its test cases and system-out and system-err after them. Jenkins' own takes all of that.

namespace byhand::report {
namespace {

struct Character {
    std::string_view bytes;
    bool fits = false;  // UTF-8, and what XML may hold; no control characters
};

// How many bytes the character has that begins with this one; 0: none does.
std::size_t size_by(unsigned lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead >= 0xf5) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

bool fits_xml(unsigned value) {
    const bool control = (value < 0x20 && value != '\n') || (value >= 0x7f && value < 0xa0);
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    return !control && !surrogate && value != 0xfffe && value != 0xffff && value <= 0x10ffff;
}

// The character that `text` begins with, or one byte that is none.
Character first_character(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = at(0);
    const std::size_t size = size_by(lead);
    if (size == 0 || size > text.size()) {
        return {text.substr(0, 1), false};
    }
    unsigned value = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xc0U) != 0x80U) {
            return {text.substr(0, 1), false};
        }
        value = value << 6U | (at(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    return {text.substr(0, size), !overlong && fits_xml(value)};
}

std::string written(const Case& one) {
    const std::string text =
        fmt::format(R"(    <testcase classname="{}" name="{}" time="0")", escaped(one.classname), escaped(one.name));
    switch (one.outcome) {
        case Outcome::passed:
            return text + "/>\n";
        case Outcome::skipped:
            return text + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(one.message));
        case Outcome::failed:
            break;
    }
    return text + fmt::format(">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                              escaped(one.type), escaped(one.message), escaped(one.text));
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto [bytes, fits] = first_character(text);
        text.remove_prefix(bytes.size());
        if (!fits) {
            out += "\xef\xbf\xbd";
        } else if (bytes == "&") {
            out += "&amp;";
        } else if (bytes == "<") {
            out += "&lt;";
        } else if (bytes == ">") {
            out += "&gt;";
        } else if (bytes == "\"") {
            out += "&quot;";
        } else if (bytes == "\n") {
            out += "&#10;";
        } else {
            out += bytes;
        }
    }
    return out;
}

std::string junit(const std::vector<Suite>& suites) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    std::size_t id = 0;
    for (const Suite& suite : suites) {
        const auto having = [&suite](Outcome outcome) {
            return std::ranges::count_if(suite.cases, [=](const Case& one) { return one.outcome == outcome; });
        };
        text += fmt::format(
            "  <testsuite name=\"{}\" package=\"{}\" id=\"{}\" tests=\"{}\" "
            "failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\" timestamp=\"1970-01-01T00:00:00\" "
            "hostname=\"localhost\">\n    <properties>\n",
            escaped(suite.name), suite.package, id++, suite.cases.size(), having(Outcome::failed),
            having(Outcome::skipped));
        for (const auto& [name, value] : suite.properties) {
            text += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", escaped(name), escaped(value));
        }
        text += "    </properties>\n";
        for (const Case& one : suite.cases) {
            text += written(one);
        }
        text += "    <system-out></system-out>\n    <system-err></system-err>\n  </testsuite>\n";
    }
    return text + "</testsuites>\n";
}

}  // namespace byhand::report
