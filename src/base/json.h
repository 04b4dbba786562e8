// A JSON value, how it is written as text, and a strict reader for external files.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace byhand {

class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::vector<std::pair<std::string, Json>>;  // in the order of insertion, each key once
    using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

    // NOLINTBEGIN(google-explicit-constructor): objects are written as nested lists of keys and values
    Json(std::nullptr_t = nullptr);
    Json(const char* text);
    Json(std::string text);
    // An object if each item is a pair that begins with a string (of equal keys, the first counts), else an array.
    Json(std::initializer_list<Json> items);

    Json(std::floating_point auto value) : value_(static_cast<double>(value)) {}
    Json(std::integral auto value) {
        if constexpr (std::same_as<decltype(value), bool>) {
            value_ = value;
        } else if constexpr (std::signed_integral<decltype(value)>) {
            value_ = static_cast<std::int64_t>(value);
        } else {
            value_ = static_cast<std::uint64_t>(value);
        }
    }

    template <class T>
    Json(const std::vector<T>& items) : value_(Array(items.begin(), items.end())) {}
    // NOLINTEND(google-explicit-constructor)

    // Defined in json.cpp, so that other files do not compile them.
    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(const Json& other);
    Json& operator=(Json&& other) noexcept;
    ~Json();

    static Json array(std::initializer_list<Json> items = {});
    static Json object();
    static Json of(Value value);  // precondition: the keys of an object are unique

    // These make an array or an object of null. Precondition: the value is null or of that kind.
    void push_back(Json item);
    Json& operator[](const std::string& key);  // adds null for a new key
    void update(const Json& object);           // adds or replaces its keys and values
    void erase(const std::string& key);        // precondition: the value is an object

    bool is_null() const { return is<std::nullptr_t>(); }
    bool is_boolean() const { return is<bool>(); }
    bool is_number() const { return is<double>() || is<std::int64_t>() || is<std::uint64_t>(); }
    bool is_string() const { return is<std::string>(); }
    bool is_array() const { return is<Array>(); }
    bool is_object() const { return is<Object>(); }

    // The item, mutable or not. Each throws std::out_of_range if there is none, std::bad_variant_access if the value is
    // of another kind.
    Json& operator[](std::size_t index);
    const Json& operator[](std::size_t index) const { return at(index); }
    const Json& operator[](const std::string& key) const { return at(key); }
    const Json& at(std::size_t index) const;
    const Json& at(const std::string& key) const;
    const Json& back() const { return at(size() - 1); }
    // Null if the value is not an object or does not have the key.
    const Json* find(const std::string& key) const;
    bool contains(const std::string& key) const { return find(key) != nullptr; }

    // The items of an array, the members of an object. Throw std::bad_variant_access if the value is of another kind.
    const Json* begin() const { return std::get<Array>(value_).data(); }
    const Json* end() const { return begin() + size(); }
    const Object& items() const { return std::get<Object>(value_); }

    std::size_t size() const;  // the number of items or members; 0 for other kinds
    bool empty() const;        // whether the value is null, or an array or object without items

    // The value as a bool, a number, a std::string, or a standard container of these: an object as a map, an array as
    // any other. A number converts to every type of number that can represent it. Throws std::bad_variant_access if the
    // value is of another kind.
    template <class T>
    T get() const {
        if constexpr (std::is_same_v<T, bool>) {
            return std::get<bool>(value_);
        } else if constexpr (std::is_same_v<T, std::string>) {
            return std::get<std::string>(value_);
        } else if constexpr (std::is_floating_point_v<T>) {
            return static_cast<T>(as_double());
        } else if constexpr (std::is_integral_v<T>) {
            return static_cast<T>(as_whole());
        } else {
            T all;
            if constexpr (requires { typename T::mapped_type; }) {
                for (const auto& [key, item] : items()) {
                    all.emplace(key, item.template get<typename T::mapped_type>());
                }
            } else {
                for (const Json& item : *this) {
                    all.insert(all.end(), item.get<typename T::value_type>());
                }
            }
            return all;
        }
    }

    // Objects are equal whatever the order of their keys, numbers if they have the same value: 1 equals 1.0.
    friend bool operator==(const Json& a, const Json& b);

    const Value& value() const { return value_; }

private:
    template <class T>
    bool is() const {
        return std::holds_alternative<T>(value_);
    }
    double as_double() const;
    std::uint64_t as_whole() const;  // a negative number in two's complement

    Value value_;
};

// The number, or "nan", "inf", "-inf", since JSON has only finite numbers. Null if it is unknown.
Json number(double value);
Json number(const std::optional<double>& value);
// The same of each, as an array.
Json numbers(const std::vector<double>& values);

// Printable JSON, free of terminal control sequences whatever its strings contain. No newline at the end; nested levels
// are indented by `indent` columns. DEL and the C1 control characters are escaped as JSON escapes those below the
// blank; bytes that are not UTF-8 become U+FFFD.
std::string printed_json(const Json& value, std::size_t indent);

// Readable JSON without a newline at the end: one line per key of the outermost object; a value that fits in 100
// columns stays on one line, others are broken up with two columns of indentation per level. Precondition: its strings
// are UTF-8.
std::string readable_text(const Json& value);

// One line without spaces between its parts; nullopt if a string is not UTF-8.
std::optional<std::string> compact_text(const Json& value);

// ---- Reading (strict_json.cpp) ----

inline constexpr std::size_t kDeepestJson = 32;
inline constexpr std::size_t kMostJsonValues = 1'000'000;  // that bounds the memory of a text of many megabytes

// The value of `text`. Throws InputError, in one line that begins with `where`: for text that is not JSON (with line
// and column), a duplicate key in one object, a number outside the range of double (both with the path of the key),
// more than kDeepestJson nested arrays or objects, and more than kMostJsonValues values.
Json strict_json(const std::string& text, const std::string& where);

// A path extended by a key or by an index: "network" and "norm" make "network.norm", "rules" and 2 make "rules[2]".
std::string path_to(const std::string& path, const std::string& key);
std::string path_to(const std::string& path, std::size_t index);

// Throws InputError: "WHERE: PATH: what", or "WHERE: what" if the path is empty.
[[noreturn]] void refuse(const std::string& where, const std::string& path, const std::string& what);

}  // namespace byhand
