#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "byhand/version.h"
#include "report/writers.h"

namespace byhand::report {
namespace {

// As URIs have it: all but these stands for itself.
std::string uri_of(std::string_view path) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string uri;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (kPlain.find(c) != std::string_view::npos) {
            uri += c;
        } else {
            uri += {'%', kDigits[byte / 16], kDigits[byte % 16]};
        }
    }
    return uri;
}

// "net.py:41", or a file without a line, which is shown at its first.
Json location_of(const std::string& place) {
    const std::size_t colon = place.rfind(':');
    std::size_t line = 0;
    const char* const end = place.data() + place.size();
    const bool has_line =
        colon != std::string::npos && std::from_chars(place.data() + colon + 1, end, line).ptr == end && line > 0;
    return {{"physicalLocation",
             {{"artifactLocation", {{"uri", uri_of(has_line ? place.substr(0, colon) : place)}}},
              {"region", {{"startLine", has_line ? line : 1}}}}}};
}

// A file that the suite is about, for what has no place of its own.
std::string file_of(const Suite& suite) {
    const auto found = std::ranges::find_if(
        suite.properties, [](const auto& property) { return property.first == "file" || property.first == "a"; });
    return found != suite.properties.end() ? found->second : suite.name;
}

}  // namespace

std::string sarif(const std::vector<Suite>& suites) {
    Json rules = Json::array(), results = Json::array();
    std::set<std::string> known;
    for (const Suite& suite : suites) {
        for (const Case& one : suite.cases) {
            if (one.outcome != Outcome::failed) {
                continue;
            }
            if (known.insert(one.type).second) {
                rules.push_back(
                    {{"id", one.type}, {"shortDescription", {{"text", "A tensor with the verdict " + one.type}}}});
            }
            results.push_back(
                {{"ruleId", one.type},
                 {"level", "error"},
                 {"message", {{"text", one.name + ": " + one.message + "\n" + one.text}}},
                 {"locations", {location_of(one.place.empty() ? file_of(suite) : one.place)}},
                 {"partialFingerprints", {{"tensor/v1", suite.package + "/" + one.classname + "/" + one.name}}}});
        }
    }
    const Json driver = {{"name", "byhand"}, {"version", kVersion}, {"rules", std::move(rules)}};
    Json run = {{"tool", {{"driver", driver}}}, {"results", std::move(results)}};
    Json runs = Json::array();
    runs.push_back(std::move(run));
    return printed_json({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                         {"version", "2.1.0"},
                         {"runs", std::move(runs)}},
                        2) +
           "\n";
}

}  // namespace byhand::report
