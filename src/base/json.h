// JSON to be written, and its text. What is read comes by recipe/strict_json.h.
#pragma once

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
    // Of pairs that begin with a string, an object, in which the first of equal keys stays; else an array.
    Json(std::initializer_list<Json> items);

    template <class T>
        requires std::is_arithmetic_v<T>
    Json(T value) {
        if constexpr (std::is_same_v<T, bool>) {
            value_ = value;
        } else if constexpr (std::is_floating_point_v<T>) {
            value_ = static_cast<double>(value);
        } else if constexpr (std::is_signed_v<T>) {
            value_ = static_cast<std::int64_t>(value);
        } else {
            value_ = static_cast<std::uint64_t>(value);
        }
    }

    template <class T>
    Json(const std::vector<T>& items) : value_(Array(items.begin(), items.end())) {}
    // NOLINTEND(google-explicit-constructor)

    // In json.cpp, so that files that write JSON need not compile them.
    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(const Json& other);
    Json& operator=(Json&& other) noexcept;
    ~Json();

    static Json array(std::initializer_list<Json> items = {});
    static Json object();

    // Null becomes an array or an object by these. Precondition: it is null or of that kind.
    void push_back(Json item);
    Json& operator[](const std::string& key);  // null where the key is new
    void update(const Json& object);           // with its keys and values

    Json& operator[](std::size_t index);  // precondition: an array that holds it
    bool empty() const;                   // null, or an array or object without items

    const Value& value() const { return value_; }

private:
    Value value_;
};

// The number, or "nan", "inf", "-inf": JSON has none that are not finite. Null where it is not known.
Json number(double value);
Json number(const std::optional<double>& value);

// JSON as it is printed: whatever its texts hold, it can't steer a terminal. Without a newline at its end, opened up by
// `indent` columns a level. DEL and the control characters beyond it (C1) are escaped as JSON itself escapes those
// below the blank; bytes that are not UTF-8 become U+FFFD.
std::string printed_json(const Json& value, std::size_t indent);

// JSON for the eye, without a newline at its end: the outermost object a key a line, and within it whatever fits in 100
// columns on one line, the rest opened up by two columns a level. Precondition: its texts are UTF-8.
std::string readable_text(const Json& value);

}  // namespace byhand
