#include "recipe/json_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"

namespace byhand {
namespace {

// The text of a value in a message.
std::string description(const Json& value) {
    if (value.is_object()) {
        return "an object";
    }
    if (value.is_array()) {
        return "an array of " + std::to_string(value.size());
    }
    if (value.is_string()) {
        return "\"" + excerpt(value.get<std::string>(), 60) + "\"";
    }
    return printed_json(value, 0);
}

std::string short_text(double number) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace

void Field::refuse_value(const std::string& what) const {
    refuse(where, path, "is " + description(value) + ", " + what);
}

double Number::operator()(const Field& field) const {
    const bool fits = field.value.is_number() && field.value.get<double>() >= low && field.value.get<double>() <= high;
    if (!fits) {
        field.refuse_value("takes a number from " + short_text(low) + " to " + short_text(high));
    }
    return field.value.get<double>();
}

std::uint64_t Whole::operator()(const Field& field) const {
    // The parser reads every whole number from 0 on as unsigned.
    const bool fits = std::holds_alternative<std::uint64_t>(field.value.value()) &&
                      field.value.get<std::uint64_t>() >= low && field.value.get<std::uint64_t>() <= high;
    if (!fits) {
        field.refuse_value("takes a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return field.value.get<std::uint64_t>();
}

bool truth(const Field& field) {
    if (!field.value.is_boolean()) {
        field.refuse_value("takes true or false");
    }
    return field.value.get<bool>();
}

std::string OneLine::operator()(const Field& field) const {
    const auto* text = std::get_if<std::string>(&field.value.value());
    if (text == nullptr || text->empty() || text->size() > longest || printable(*text) != *text) {
        field.refuse_value("takes one line of text, 1 to " + std::to_string(longest) +
                           " bytes without control characters");
    }
    return *text;
}

std::string OneOf::operator()(const Field& field) const {
    const auto* text = std::get_if<std::string>(&field.value.value());
    if (text != nullptr && std::ranges::find(words, *text) != words.end()) {
        return *text;
    }
    std::vector<std::string> in_quotes;
    std::ranges::transform(words, std::back_inserter(in_quotes),
                           [](const std::string& word) { return "\"" + word + "\""; });
    field.refuse_value("takes " + listed(in_quotes, "or"));
}

std::vector<Field> list(const Field& field, std::size_t fewest, std::size_t most) {
    if (!field.value.is_array() || field.value.size() < fewest || field.value.size() > most) {
        const std::string count =
            fewest == most ? std::to_string(most) : std::to_string(fewest) + " to " + std::to_string(most);
        field.refuse_value("takes an array of " + count);
    }
    std::vector<Field> items;
    items.reserve(field.value.size());
    for (std::size_t i = 0; i < field.value.size(); ++i) {
        items.push_back({field.value.at(i), field.where, path_to(field.path, i)});
    }
    return items;
}

Object::Object(const Field& field) : source_(field) {
    if (!field.value.is_object()) {
        field.refuse_value("takes an object");
    }
}

std::optional<Field> Object::find(const char* key) {
    known_.emplace_back(key);
    const Json* found = source_->value.find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    return Field{*found, source_->where, path_to(source_->path, key)};
}

void Object::close() const {
    for (const auto& [key, value] : source_->value.items()) {
        if (std::ranges::find(known_, key) == known_.end()) {
            std::string names;
            for (const std::string& name : known_) {
                names += (names.empty() ? "" : ", ") + name;
            }
            refuse(source_->where, path_to(source_->path, key),
                   "no such key" + the_nearest(key, known_) + " (known: " + names + ")");
        }
    }
    if (!missing_.empty()) {
        refuse(source_->where, path_to(source_->path, missing_.front()), "is missing; add it");
    }
}

void Object::refuse_part(const std::string& what) const {
    throw InputError(source_ ? source_->where + ": " + source_->path + "." + what : what);
}

void Object::refuse_if(bool wrong, const std::string& what) const {
    if (wrong && source_) {
        close();
        refuse(source_->where, source_->path, what);
    }
}

void Object::refuse_if(bool wrong, const char* key, const std::string& what) {
    const Json* value = wrong && source_ ? source_->value.find(key) : nullptr;
    if (value != nullptr) {
        known_.emplace_back(key);  // even if it is known only to be refused
        close();
        Field{*value, source_->where, path_to(source_->path, key)}.refuse_value(what);
    }
}

}  // namespace byhand
