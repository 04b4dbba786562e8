// A JSON value, and its text. Text is read by recipe/strict_json.h.
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
    static Json of(Value value);  // precondition: no key of an object stands twice

    // Null becomes an array or an object by these. Precondition: it is null or of that kind.
    void push_back(Json item);
    Json& operator[](const std::string& key);  // null where the key is new
    void update(const Json& object);           // with its keys and values

    bool is_null() const { return is<std::nullptr_t>(); }
    bool is_boolean() const { return is<bool>(); }
    bool is_number() const { return is<double>() || is<std::int64_t>() || is<std::uint64_t>(); }
    bool is_string() const { return is<std::string>(); }
    bool is_array() const { return is<Array>(); }
    bool is_object() const { return is<Object>(); }

    // The item, changeable or not. Each throws std::out_of_range where there is none, std::bad_variant_access where the
    // value is of another kind.
    Json& operator[](std::size_t index);
    const Json& at(std::size_t index) const;
    const Json& at(const std::string& key) const;
    const Json* find(const std::string& key) const;  // null where it is no object, or has no such key

    std::size_t size() const;  // the items of an array or an object; 0 of all else
    bool empty() const;        // null, or an array or object without items

    // As a bool, a number, a std::string, or a vector of these; any number as any other, which must hold it. Throws
    // std::bad_variant_access where it is of another kind.
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
            T items;
            for (const Json& item : std::get<Array>(value_)) {
                items.push_back(item.get<typename T::value_type>());
            }
            return items;
        }
    }

    const Value& value() const { return value_; }

private:
    template <class T>
    bool is() const {
        return std::holds_alternative<T>(value_);
    }
    double as_double() const;
    std::uint64_t as_whole() const;  // a negative one in two's complement

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
