// Reads and writes JSON objects with one description of their keys: a function of the object and its target that
// specifies for each key the target of its value and the values it takes.
//   void describe_bias(Object& bias, ShortForm& form) {
//       bias.take("hidden", form.hidden_bias, truth);
//       bias.take("output", form.output_bias, truth);
//   }
// What a key takes is one of
//   a function of a Field, whose result is the value        truth, Number{0, 1}
//   a table of words and values, every value among them     {{"n", Divisor::n}, {"n-1", Divisor::n_minus_1}}
//   another description                                     describe_bias
//   a type with functions `read` and `write`                List{1, 64, Whole{1, 100}}
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"

namespace byhand {

// A value of the file and its place, for messages.
struct Field {
    const Json& value;
    const std::string& where;  // the file name
    std::string path;          // "network.norm.momentum"

    // Throws InputError: "WHERE: PATH: is VALUE, WHAT".
    [[noreturn]] void refuse_value(const std::string& what) const;
};

// The values that a key takes. Each throws InputError that names the key, its value and the valid ones, if it is
// invalid.
struct Number {
    double low, high;  // both included
    double operator()(const Field& field) const;
};
struct Whole {  // without point or exponent
    std::uint64_t low, high;
    std::uint64_t operator()(const Field& field) const;
};
struct OneLine {  // without control characters, of 1 to `longest` bytes
    std::size_t longest;
    std::string operator()(const Field& field) const;
};
struct OneOf {
    std::vector<std::string> words;
    std::string operator()(const Field& field) const;
};
bool truth(const Field& field);                                                     // true or false
std::vector<Field> list(const Field& field, std::size_t fewest, std::size_t most);  // an array of so many

// The value of a word, from a table of words and values.
template <class T, std::size_t N>
T choice(const Field& field, const std::pair<const char*, T> (&choices)[N]) {
    OneOf word;
    for (const auto& [name, value] : choices) {
        word.words.emplace_back(name);
    }
    return std::ranges::find(choices, word(field), &std::pair<const char*, T>::first)->second;
}

// A JSON object that is read or written. Its description runs in both directions; writing leaves the target unchanged.
// Precondition of reading: the target has its default value, which a key that is absent keeps.
class Object {
public:
    // Throws InputError if the field is not what `how` takes.
    template <class T, class How>
    static void read(const Field& field, T& target, const How& how) {
        if constexpr (std::invocable<const How&, Object&, T&>) {
            Object object(field);  // NOLINT(misc-const-correctness): the description takes keys from it
            how(object, target);
            object.close();
        } else if constexpr (std::is_array_v<How>) {
            target = choice(field, how);
        } else if constexpr (requires { how.read(field, target); }) {
            how.read(field, target);
        } else {
            target = how(field);
        }
    }

    template <class T, class How>
    static Json write(T& target, const How& how) {
        if constexpr (std::invocable<const How&, Object&, T&>) {
            Object object;
            how(object, target);
            return std::move(object.written_);
        } else if constexpr (std::is_array_v<How>) {
            return std::ranges::find(how, target, [](const auto& one) { return one.second; })->first;
        } else if constexpr (requires { how.write(target); }) {
            return how.write(target);
        } else {
            return target;
        }
    }

    // An optional key; the target keeps its value if the key is absent. True if it is in the file, or when writing.
    template <class T, class How>
    bool take(const char* key, T& target, const How& how) {
        if (!source_) {
            written_[key] = write(target, how);
            return true;
        }
        const auto field = find(key);
        if (field) {
            read(*field, target, how);
        }
        return field.has_value();
    }

    // A required key.
    template <class T, class How>
    void need(const char* key, T& target, const How& how) {
        if (!take(key, target, how)) {
            missing_.emplace_back(key);
        }
    }

    // An optional key that is written only if `is_written`. True if it is in the file, or written.
    template <class T, class How>
    bool take_if(bool is_written, const char* key, T& target, const How& how) {
        return (source_ || is_written) && take(key, target, how);
    }

    // The same, written if the target is not T{}.
    template <class T, class How>
    void maybe(const char* key, T& target, const How& how) {
        take_if(target != T{}, key, target, how);
    }

    // The same for a target that has a value exactly if the key is present.
    template <class T, class How>
    void maybe(const char* key, std::optional<T>& target, const How& how) {
        T value = target.value_or(T{});
        target = take_if(target.has_value(), key, value, how) ? std::optional(value) : std::nullopt;
    }

    // When reading, throws InputError if `wrong`: for the object, or for the value of a key if that is in the file.
    // Precondition: every key has been taken, because an unknown or missing key is reported first.
    void refuse_if(bool wrong, const std::string& what) const;
    void refuse_if(bool wrong, const char* key, const std::string& what);

    // Throws InputError for a part of the object: "PATH.WHAT".
    [[noreturn]] void refuse_part(const std::string& what) const;

private:
    Object() : written_(Json::object()) {}
    explicit Object(const Field& field);

    // The field of that key, if present. Makes the key a known one.
    std::optional<Field> find(const char* key);

    // Throws InputError for an unknown key, naming the nearest known one, and for a missing key.
    void close() const;

    std::optional<Field> source_;  // none when writing
    std::vector<std::string> known_;
    std::vector<std::string> missing_;
    Json written_;
};

// An array of `fewest` to `most` items, each of which takes `item`.
template <class How>
struct List {
    std::size_t fewest, most;
    How item;

    template <class T>
    void read(const Field& field, std::vector<T>& target) const {
        target.clear();
        for (const Field& one : list(field, fewest, most)) {
            Object::read(one, target.emplace_back(), item);
        }
    }

    template <class T>
    Json write(std::vector<T>& target) const {
        Json items = Json::array();
        for (T& one : target) {
            items.push_back(Object::write(one, item));
        }
        return items;
    }
};

// A target without a value is null in the file.
template <class How>
struct OrNull {
    How how;

    template <class T>
    void read(const Field& field, std::optional<T>& target) const {
        target.reset();
        if (!field.value.is_null()) {
            Object::read(field, target.emplace(), how);
        }
    }

    template <class T>
    Json write(std::optional<T>& target) const {
        return target ? Object::write(*target, how) : nullptr;
    }
};

}  // namespace byhand
