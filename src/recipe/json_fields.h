// Reads the fields of a JSON object by name, type and range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recipe/strict_json.h"

namespace byhand {

// A value of the file and where it stands, for messages.
struct Field {
    const Json& value;
    const std::string& where;  // the file
    std::string path;          // "network.norm.momentum"

    // Throws InputError: "WHERE: PATH: is VALUE, WHAT".
    [[noreturn]] void refuse_value(const std::string& what) const;
};

// Each throws InputError, naming the key, what it is and what it takes, where the value is none of these.
double number(const Field& field, double low, double high);                         // low to high, both included
std::uint64_t whole(const Field& field, std::uint64_t low, std::uint64_t high);     // without point or exponent
bool truth(const Field& field);                                                     // true or false
std::string line(const Field& field, std::size_t longest);                          // one line of 1 to longest bytes
std::vector<Field> list(const Field& field, std::size_t fewest, std::size_t most);  // an array of so many

[[noreturn]] void refuse_choice(const Field& field, const std::vector<std::string>& names);

// The value that goes by the string in the file, out of a table of names and values.
template <class T, std::size_t N>
T choice(const Field& field, const std::pair<const char*, T> (&choices)[N]) {
    const auto* text = std::get_if<std::string>(&field.value.value());
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
        if (text != nullptr && *text == name) {
            return value;
        }
        names.emplace_back(name);
    }
    refuse_choice(field, names);
}

// The way back, for writing. Precondition: the value is in the table.
template <class T, std::size_t N>
const char* name_of(const T& value, const std::pair<const char*, T> (&choices)[N]) {
    for (const auto& [name, choice] : choices) {
        if (choice == value) {
            return name;
        }
    }
    return "";
}

// An object being read. Whatever is asked for becomes a known key; close() refuses every other.
class Object {
public:
    // Throws InputError where the field is no object.
    explicit Object(const Field& field);

    // The field of that key, if it is there.
    std::optional<Field> find(const char* key);

    // The same, of a key that close() misses.
    std::optional<Field> need(const char* key);

    // Puts what `read` makes of the field into `target`; leaves it as it is where the key is absent.
    template <class T, class Read>
    void take(const char* key, T& target, Read read) {
        if (const auto field = find(key)) {
            target = read(*field);
        }
    }

    // Throws InputError for a key that nobody asked for, naming the nearest that is known, and for one that is missing.
    void close() const;

private:
    Field field_;
    std::vector<std::string> known_;
    std::vector<std::string> missing_;
};

}  // namespace byhand
