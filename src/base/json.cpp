#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace byhand {
namespace {

using InvalidUtf8 = nlohmann::json::error_handler_t;

bool is_member(const Json& item) {
    const auto* pair = std::get_if<Json::Array>(&item.value());
    return pair != nullptr && pair->size() == 2 && std::holds_alternative<std::string>(pair->front().value());
}

struct Layout {
    std::size_t indent;   // columns a level
    std::size_t columns;  // limit for a value on one line, except for the outermost
    InvalidUtf8 invalid;
};

// nlohmann's text: doubles in the fewest digits that preserve their value. Empty for an array and an object.
std::string scalar(const Json& value, InvalidUtf8 invalid) {
    return std::visit(
        [&](const auto& held) -> std::string {
            using T = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<T, Json::Array> || std::is_same_v<T, Json::Object>) {
                return "";
            } else {
                return nlohmann::json(held).dump(-1, ' ', false, invalid);
            }
        },
        value.value());
}

// Calls `take` with each item and its label, "key:" and `gap`, which is empty in an array.
template <class Take>
void for_each_item(const Json& value, InvalidUtf8 invalid, const char* gap, Take take) {
    if (const auto* array = std::get_if<Json::Array>(&value.value())) {
        for (const Json& item : *array) {
            take("", item);
        }
    } else if (const auto* object = std::get_if<Json::Object>(&value.value())) {
        for (const auto& [key, item] : *object) {
            take(scalar(key, invalid) + ":" + gap, item);
        }
    }
}

std::string in_brackets(const Json& value, const std::string& items) {
    return value.is_object() ? "{" + items + "}" : "[" + items + "]";
}

bool is_structured(const Json& value) {
    return value.is_array() || value.is_object();
}

std::string one_line(const Json& value, InvalidUtf8 invalid, const char* gap = " ") {
    if (!is_structured(value)) {
        return scalar(value, invalid);
    }
    std::string text;
    for_each_item(value, invalid, gap, [&](const std::string& label, const Json& item) {
        text += text.empty() ? "" : std::string(",") + gap;
        text += label;
        text += one_line(item, invalid, gap);
    });
    return in_brackets(value, text);
}

// `column`: where the value begins on its line; `margin`: where the line begins.
std::string laid_out(const Json& value, const Layout& layout, std::size_t margin, std::size_t column) {
    if (!is_structured(value) || value.empty()) {
        return one_line(value, layout.invalid);
    }
    if (margin > 0 && column < layout.columns) {
        std::string line = one_line(value, layout.invalid);
        if (column + line.size() <= layout.columns) {
            return line;
        }
    }
    const std::size_t inner = margin + layout.indent;
    std::string text;
    for_each_item(value, layout.invalid, " ", [&](const std::string& label, const Json& item) {
        text += text.empty() ? "\n" : ",\n";
        text.append(inner, ' ');
        text += label;
        text += laid_out(item, layout, inner, inner + label.size());
    });
    text += "\n";
    text.append(margin, ' ');
    return in_brackets(value, text);
}

}  // namespace

Json::Json(std::nullptr_t) : value_(nullptr) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) : value_(std::move(text)) {}

Json::Json(std::initializer_list<Json> items) {
    if (!std::ranges::all_of(items, is_member)) {
        value_ = Array(items);
        return;
    }
    Object members;
    members.reserve(items.size());
    for (const Json& item : items) {
        const auto& pair = std::get<Array>(item.value_);
        const auto& key = std::get<std::string>(pair[0].value_);
        if (std::ranges::find(members, key, &Object::value_type::first) == members.end()) {
            members.emplace_back(key, pair[1]);
        }
    }
    value_ = std::move(members);
}

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json Json::array(std::initializer_list<Json> items) {
    return of(Array(items));
}

Json Json::object() {
    return of(Object());
}

Json Json::of(Value value) {
    Json made;
    made.value_ = std::move(value);
    return made;
}

void Json::push_back(Json item) {
    if (is_null()) {
        value_ = Array();
    }
    std::get<Array>(value_).push_back(std::move(item));
}

Json& Json::operator[](const std::string& key) {
    if (is_null()) {
        value_ = Object();
    }
    auto& members = std::get<Object>(value_);
    const auto found = std::ranges::find(members, key, &Object::value_type::first);
    return found != members.end() ? found->second : members.emplace_back(key, nullptr).second;
}

void Json::update(const Json& object) {
    for (const auto& [key, item] : std::get<Object>(object.value_)) {
        (*this)[key] = item;
    }
}

void Json::erase(const std::string& key) {
    std::erase_if(std::get<Object>(value_), [&](const auto& member) { return member.first == key; });
}

Json& Json::operator[](std::size_t index) {
    return std::get<Array>(value_).at(index);
}

const Json& Json::at(std::size_t index) const {
    return std::get<Array>(value_).at(index);
}

const Json& Json::at(const std::string& key) const {
    static_cast<void>(std::get<Object>(value_));
    if (const Json* found = find(key)) {
        return *found;
    }
    throw std::out_of_range("JSON: no key \"" + key + "\"");
}

const Json* Json::find(const std::string& key) const {
    const auto* members = std::get_if<Object>(&value_);
    if (members == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find(*members, key, &Object::value_type::first);
    return found == members->end() ? nullptr : &found->second;
}

std::size_t Json::size() const {
    if (const auto* items = std::get_if<Array>(&value_)) {
        return items->size();
    }
    const auto* members = std::get_if<Object>(&value_);
    return members == nullptr ? 0 : members->size();
}

bool Json::empty() const {
    return is_null() || ((is_array() || is_object()) && size() == 0);
}

double Json::as_double() const {
    if (const auto* whole = std::get_if<std::uint64_t>(&value_)) {
        return static_cast<double>(*whole);
    }
    const auto* whole = std::get_if<std::int64_t>(&value_);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value_);
}

std::uint64_t Json::as_whole() const {
    if (const auto* whole = std::get_if<std::uint64_t>(&value_)) {
        return *whole;
    }
    const auto* whole = std::get_if<std::int64_t>(&value_);
    return static_cast<std::uint64_t>(whole != nullptr ? *whole : static_cast<std::int64_t>(std::get<double>(value_)));
}

bool operator==(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) {
        const bool exact = !a.is<double>() && !b.is<double>();
        const bool same_sign = (a.as_double() < 0) == (b.as_double() < 0);  // or -1 equals 2^64 - 1
        return exact ? same_sign && a.as_whole() == b.as_whole() : a.as_double() == b.as_double();
    }
    if (a.is_object() && b.is_object()) {
        return a.size() == b.size() && std::ranges::all_of(a.items(), [&](const auto& member) {
                   const Json* other = b.find(member.first);
                   return other != nullptr && *other == member.second;
               });
    }
    return a.value_ == b.value_;
}

Json number(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    return value;
}

Json number(const std::optional<double>& value) {
    return value ? number(*value) : Json();
}

Json numbers(const std::vector<double>& values) {
    Json all = Json::array();
    for (const double value : values) {
        all.push_back(number(value));
    }
    return all;
}

std::string printed_json(const Json& value, std::size_t indent) {
    constexpr const char* kDigits = "0123456789abcdef";
    const std::string text = laid_out(value, {indent, 0, InvalidUtf8::replace}, 0, 0);
    std::string printed;
    printed.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : ' ');
        const bool is_c1 = byte == 0xc2 && next < 0xa0;  // in UTF-8 the two bytes c2 80 to c2 9f
        if (byte != 0x7f && !is_c1) {
            printed += text[i];
            continue;
        }
        const unsigned control = is_c1 ? next : byte;
        i += is_c1 ? 1 : 0;
        printed += "\\u00";
        printed += kDigits[control >> 4];
        printed += kDigits[control & 0xf];
    }
    return printed;
}

std::string readable_text(const Json& value) {
    return laid_out(value, {2, 100, InvalidUtf8::strict}, 0, 0);
}

std::optional<std::string> compact_text(const Json& value) {
    try {
        return one_line(value, InvalidUtf8::strict, "");
    } catch (const nlohmann::json::type_error&) {
        return std::nullopt;
    }
}

}  // namespace byhand
