#include "base/parsed_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

using byhand::Json;

namespace text {
namespace {

using Theirs = nlohmann::ordered_json;

Json ours(const Theirs& theirs) {
    switch (theirs.type()) {
        case Theirs::value_t::boolean:
            return theirs.get<bool>();
        case Theirs::value_t::number_integer:
            return theirs.get<std::int64_t>();
        case Theirs::value_t::number_unsigned:
            return theirs.get<std::uint64_t>();
        case Theirs::value_t::number_float:
            return theirs.get<double>();
        case Theirs::value_t::string:
            return theirs.get<std::string>();
        case Theirs::value_t::array: {
            Json items = Json::array();
            for (const Theirs& item : theirs) {
                items.push_back(ours(item));
            }
            return items;
        }
        case Theirs::value_t::object: {
            Json::Object members;
            for (const auto& [key, value] : theirs.items()) {
                members.emplace_back(key, ours(value));
            }
            return Json::of(std::move(members));
        }
        default:
            return nullptr;
    }
}

Theirs theirs(const Json& ours) {
    return Theirs::parse(printed_json(ours, 0));
}

}  // namespace

Json parsed_json(const std::string& text) {
    return ours(Theirs::parse(text));
}

Json diff(const Json& from, const Json& to) {
    return ours(Theirs::diff(theirs(from), theirs(to)));
}

}  // namespace text

namespace byhand {

std::ostream& operator<<(std::ostream& stream, const Json& value) {
    return stream << printed_json(value, 1);
}

}  // namespace byhand
