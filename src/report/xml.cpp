#include "report/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/utf8.h"

// Ant's schema of JUnit reports lets the root have no attributes, wants id, package, hostname and timestamp of every
// suite, properties before its test cases and system-out and system-err after them. Jenkins' own takes all of that.

namespace byhand::report {
namespace {

bool fits_xml(char32_t value) {
    return (value == '\n' || !is_control(value)) && value != 0xfffe && value != 0xffff;
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
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint character = first_code_point(text.substr(i));
        const std::string_view bytes = text.substr(i, std::max<std::size_t>(1, character.size));
        i += bytes.size();
        if (character.size == 0 || !fits_xml(character.value)) {
            out += "\xef\xbf\xbd";
        } else if (turns_or_ends_line(character.value)) {
            out += printable(bytes);
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
