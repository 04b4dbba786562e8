// JSON as tests read it: nlohmann's parser behind a type that compiles in no time, with as much of nlohmann's interface
// as tests use.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <map>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace text {

// What is asked of a value of another kind throws std::bad_variant_access; an item that is not there,
// std::out_of_range.
class json {
public:
    using Array = std::vector<json>;
    using Object = std::map<std::string, json>;
    using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

    json(std::nullptr_t = nullptr);
    json(const char* text);
    json(std::string text);
    json(std::initializer_list<json> items);  // of pairs that begin with a string, an object; else an array
    json(Array items);
    json(Object members);
    template <class T>
        requires std::is_arithmetic_v<T>
    json(T value) {
        if constexpr (std::same_as<T, bool>) {
            value_ = value;
        } else if constexpr (std::floating_point<T>) {
            value_ = static_cast<double>(value);
        } else if constexpr (std::signed_integral<T>) {
            value_ = static_cast<std::int64_t>(value);
        } else {
            value_ = static_cast<std::uint64_t>(value);
        }
    }
    template <class T>
    json(const std::vector<T>& items) : json(Array(items.begin(), items.end())) {}
    json(const json& other);
    json(json&& other) noexcept;
    json& operator=(const json& other);
    json& operator=(json&& other) noexcept;
    ~json();

    static json parse(const std::string& text);  // throws std::exception for what is not JSON
    static json array(std::initializer_list<json> items = {});
    static json object();
    static json diff(const json& from, const json& to);  // a patch, by RFC 6902

    // On one line; what is not UTF-8 becomes U+FFFD.
    std::string dump() const;

    bool is_null() const { return is<std::nullptr_t>(); }
    bool is_boolean() const { return is<bool>(); }
    bool is_number() const { return is<double>() || is_number_integer() || is_number_unsigned(); }
    bool is_number_integer() const { return is<std::int64_t>(); }
    bool is_number_unsigned() const { return is<std::uint64_t>(); }
    bool is_string() const { return is<std::string>(); }
    bool is_array() const { return is<Array>(); }
    bool is_object() const { return is<Object>(); }

    const json& at(std::size_t index) const;
    const json& at(const std::string& key) const;
    const json& at(int index) const { return at(static_cast<std::size_t>(index)); }
    const json& at(const char* key) const { return at(std::string(key)); }
    const json& operator[](std::size_t index) const { return at(index); }
    const json& operator[](int index) const { return at(index); }
    const json& operator[](const std::string& key) const { return at(key); }
    const json& operator[](const char* key) const { return at(key); }
    json& operator[](std::size_t index);
    json& operator[](int index) { return (*this)[static_cast<std::size_t>(index)]; }
    json& operator[](const std::string& key);  // null where the key is new
    json& operator[](const char* key) { return (*this)[std::string(key)]; }

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    const json* begin() const;  // of an array
    const json* end() const { return begin() + size(); }
    const json& front() const { return at(std::size_t{0}); }
    const json& back() const { return at(size() - 1); }
    const Object& items() const { return std::get<Object>(value_); }
    bool contains(const std::string& key) const { return is_object() && items().contains(key); }
    void erase(const std::string& key) { std::get<Object>(value_).erase(key); }

    // As a bool, a number (any as any), a string, or a container of these.
    template <class T>
    T get() const {
        if constexpr (std::same_as<T, bool>) {
            return std::get<bool>(value_);
        } else if constexpr (std::same_as<T, std::string>) {
            return std::get<std::string>(value_);
        } else if constexpr (std::floating_point<T>) {
            return static_cast<T>(number());
        } else if constexpr (std::integral<T>) {
            return static_cast<T>(whole());
        } else if constexpr (requires { typename T::mapped_type; }) {
            T all;
            for (const auto& [key, value] : items()) {
                all.emplace(key, value.template get<typename T::mapped_type>());
            }
            return all;
        } else {
            T all;
            for (const json& item : *this) {
                all.insert(all.end(), item.get<typename T::value_type>());
            }
            return all;
        }
    }
    template <class T>
        requires std::is_arithmetic_v<T> || std::same_as<T, std::string>
    operator T() const {
        return get<T>();
    }

    // Numbers by value, 1 and 1.0 being equal.
    friend bool operator==(const json& a, const json& b);
    friend std::partial_ordering operator<=>(const json& a, const json& b);
    template <class T>
        requires(!std::same_as<T, json> && std::convertible_to<const T&, json>)
    friend bool operator==(const json& a, const T& b) {
        return a == json(b);
    }
    template <class T>
        requires std::is_arithmetic_v<T>
    friend std::partial_ordering operator<=>(const json& a, T b) {
        return a <=> json(b);
    }
    friend std::ostream& operator<<(std::ostream& stream, const json& value);

private:
    template <class T>
    bool is() const {
        return std::holds_alternative<T>(value_);
    }
    double number() const;
    std::uint64_t whole() const;  // a negative one in two's complement

    Value value_;
};

}  // namespace text
