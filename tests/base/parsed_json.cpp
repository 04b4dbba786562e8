#include "base/parsed_json.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/json.h"

using byhand::Json;

namespace text {

Json parsed_json(const std::string& text) {
    return byhand::strict_json(text, "text");
}

Json diff(const Json& from, const Json& to) {
    const auto theirs = [](const Json& ours) { return nlohmann::ordered_json::parse(printed_json(ours, 0)); };
    return parsed_json(nlohmann::ordered_json::diff(theirs(from), theirs(to)).dump());
}

}  // namespace text

namespace byhand {

std::ostream& operator<<(std::ostream& stream, const Json& value) {
    return stream << printed_json(value, 1);
}

}  // namespace byhand
