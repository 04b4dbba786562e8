#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/utf8.h"
#include "report/writers.h"

// Ant's schema of JUnit reports lets the root have no attributes, wants id, package, hostname and timestamp of every
// suite, properties before its test cases and system-out and system-err after them. Jenkins' own takes all of that.

namespace byhand::report {
namespace {

using Entity = std::pair<std::string_view, std::string_view>;
constexpr std::array<Entity, 5> kEntities = {
    {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"\n", "&#10;"}}};

bool fits_xml(char32_t value) {
    return (value == '\n' || !is_control(value)) && value != 0xfffe && value != 0xffff;
}

std::string written(const Case& one) {
    const std::string text =
        fmt::format(R"(    <testcase classname="{}" name="{}" time="0")", escaped(one.classname), escaped(one.name));
    if (one.outcome == Outcome::passed) {
        return text + "/>\n";
    }
    return text + ">\n      " +
           (one.outcome == Outcome::skipped ? fmt::format(R"(<skipped message="{}"/>)", escaped(one.message))
                                            : fmt::format(R"(<failure type="{}" message="{}">{}</failure>)",
                                                          escaped(one.type), escaped(one.message), escaped(one.text))) +
           "\n    </testcase>\n";
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
        } else {
            const auto* const entity = std::ranges::find(kEntities, bytes, &Entity::first);
            out += entity != kEntities.end() ? entity->second : bytes;
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

namespace byhand {

report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why) {
    using report::Outcome;
    report::Case one{class_name, "", Outcome::skipped, "", "", ""};
    for (std::size_t i = 0; i < row.size(); ++i) {
        const Cell& cell = row[i];
        const std::string& key = table.columns[i].key;
        if (key == "name") {
            const auto name = cell.value.get<std::string>();
            one.name = name.empty() ? "\"\"" : name;
        } else if (key == "verdict") {
            one.outcome = cell.mark == Mark::good ? Outcome::passed
                          : is_bad(cell.mark)     ? Outcome::failed
                                                  : Outcome::skipped;
            one.type = cell.value.get<std::string>();
            one.message = cell.shown + (why.empty() ? "" : ": " + why);
        } else if (!key.empty() && !cell.value.is_null()) {
            if (key == "where") {
                one.place = field_of(cell.value);
            }
            one.text += fmt::format("{}: {}\n", key, field_of(cell.value));
        }
    }
    return one;
}

}  // namespace byhand
