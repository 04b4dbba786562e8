#include "base/parsed_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

namespace text {
namespace {

using Theirs = nlohmann::json;

json ours(const Theirs& theirs) {
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
            json::Array items;
            for (const Theirs& item : theirs) {
                items.push_back(ours(item));
            }
            return items;
        }
        case Theirs::value_t::object: {
            json::Object members;
            for (const auto& [key, value] : theirs.items()) {
                members.emplace(key, ours(value));
            }
            return members;
        }
        default:
            return nullptr;
    }
}

Theirs theirs(const json& ours) {
    if (ours.is_array()) {
        Theirs items = Theirs::array();
        for (const json& item : ours) {
            items.push_back(theirs(item));
        }
        return items;
    }
    if (ours.is_object()) {
        Theirs members = Theirs::object();
        for (const auto& [key, value] : ours.items()) {
            members[key] = theirs(value);
        }
        return members;
    }
    return ours.is_null()              ? Theirs()
           : ours.is_boolean()         ? Theirs(ours.get<bool>())
           : ours.is_string()          ? Theirs(ours.get<std::string>())
           : ours.is_number_unsigned() ? Theirs(ours.get<std::uint64_t>())
           : ours.is_number_integer()  ? Theirs(ours.get<std::int64_t>())
                                       : Theirs(ours.get<double>());
}

}  // namespace

json::json(std::nullptr_t) : value_(nullptr) {}
json::json(const char* text) : value_(std::string(text)) {}
json::json(std::string text) : value_(std::move(text)) {}
json::json(Array items) : value_(std::move(items)) {}
json::json(Object members) : value_(std::move(members)) {}

json::json(std::initializer_list<json> items) {
    const auto is_member = [](const json& item) {
        return item.is_array() && item.size() == 2 && item.front().is_string();
    };
    if (!std::ranges::all_of(items, is_member)) {
        value_ = Array(items);
        return;
    }
    Object members;
    for (const json& item : items) {
        members.emplace(item.front().get<std::string>(), item.back());
    }
    value_ = std::move(members);
}

json::json(const json& other) = default;
json::json(json&& other) noexcept = default;
json& json::operator=(const json& other) = default;
json& json::operator=(json&& other) noexcept = default;
json::~json() = default;

json json::parse(const std::string& text) {
    return ours(Theirs::parse(text));
}
json json::array(std::initializer_list<json> items) {
    return Array(items);
}
json json::object() {
    return Object();
}
json json::diff(const json& from, const json& to) {
    return ours(Theirs::diff(theirs(from), theirs(to)));
}

std::string json::dump() const {
    return theirs(*this).dump(-1, ' ', false, Theirs::error_handler_t::replace);
}

const json& json::at(std::size_t index) const {
    return std::get<Array>(value_).at(index);
}
const json& json::at(const std::string& key) const {
    return items().at(key);
}
json& json::operator[](std::size_t index) {
    return std::get<Array>(value_).at(index);
}
json& json::operator[](const std::string& key) {
    if (is_null()) {
        value_ = Object();
    }
    return std::get<Object>(value_)[key];
}

std::size_t json::size() const {
    return is_array() ? std::get<Array>(value_).size() : is_object() ? items().size() : is_null() ? 0 : 1;
}

const json* json::begin() const {
    return std::get<Array>(value_).data();
}

double json::number() const {
    return is_number_unsigned()  ? static_cast<double>(std::get<std::uint64_t>(value_))
           : is_number_integer() ? static_cast<double>(std::get<std::int64_t>(value_))
                                 : std::get<double>(value_);
}

std::uint64_t json::whole() const {
    return is_number_unsigned()  ? std::get<std::uint64_t>(value_)
           : is_number_integer() ? static_cast<std::uint64_t>(std::get<std::int64_t>(value_))
                                 : static_cast<std::uint64_t>(static_cast<std::int64_t>(std::get<double>(value_)));
}

bool operator==(const json& a, const json& b) {
    return a.is_number() && b.is_number() ? (a <=> b) == 0 : a.value_ == b.value_;
}

std::partial_ordering operator<=>(const json& a, const json& b) {
    if (a.is<double>() || b.is<double>() || (a.number() < 0) != (b.number() < 0)) {
        return a.number() <=> b.number();
    }
    // Of one sign, whole numbers are in the order of their two's complements.
    return a.whole() <=> b.whole();
}

std::ostream& operator<<(std::ostream& stream, const json& value) {
    return stream << value.dump();
}

}  // namespace text
