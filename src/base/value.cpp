#include "base/value.h"

#include <array>
#include <charconv>
#include <string_view>

namespace byhand {
namespace {

constexpr std::array<std::string_view, 4> kPrefixes = {"", "d", "new_", "eval_"};  // by ValueKind

// Weights and biases carry their layer's number, and so does an optimizer's state for them; every other value has a
// suffix.
bool is_numbered(std::string_view base) {
    return base == "W" || base == "b" || base.ends_with("_W") || base.ends_with("_b");
}

std::string with(ValueKind kind, const std::string& name) {
    return std::string(kPrefixes[static_cast<std::size_t>(kind)]) + name;
}

ValueKind kind_of(std::string_view name) {
    for (const ValueKind kind : {ValueKind::updated, ValueKind::evaluated, ValueKind::gradient}) {
        const std::string_view prefix = kPrefixes[static_cast<std::size_t>(kind)];
        if (name.size() > prefix.size() && name.starts_with(prefix)) {
            return kind;
        }
    }
    return ValueKind::value;
}

}  // namespace

std::string Value::name() const {
    const std::string number = layer == 0 ? "" : (is_numbered(base) ? "" : ".") + std::to_string(layer);
    return with(kind, base + number);
}

Value value_of(const std::string& name) {
    const ValueKind kind = kind_of(name);
    Value value{kind, name.substr(kPrefixes[static_cast<std::size_t>(kind)].size()), 0};
    const std::size_t digits = value.base.find_last_not_of("0123456789") + 1;
    if (digits == 0 || digits == value.base.size() || value.base[digits] == '0') {
        return value;  // not a number, or not in the form that name() writes
    }
    const std::string_view before = std::string_view(value.base).substr(0, digits);
    if (before.ends_with('.') ? before.size() == 1 || is_numbered(before.substr(0, digits - 1))
                              : !is_numbered(before)) {
        return value;
    }
    const char* const end = value.base.data() + value.base.size();
    if (std::from_chars(value.base.data() + digits, end, value.layer).ec != std::errc()) {
        return {kind, value.base, 0};  // too large for a number
    }
    value.base.resize(before.ends_with('.') ? digits - 1 : digits);
    return value;
}

std::string gradient_of(const std::string& value) {
    return with(ValueKind::gradient, value);
}
std::string update_of(const std::string& value) {
    return with(ValueKind::updated, value);
}
std::string evaluation_of(const std::string& value) {
    return with(ValueKind::evaluated, value);
}

std::string of_parameter(const std::string& role, const std::string& parameter) {
    return role + "_" + parameter;
}
std::string role_of(const std::string& name) {
    const std::size_t end = name.rfind('_');
    return end == std::string::npos ? "" : name.substr(0, end);
}
std::string without_role(const std::string& name) {
    return name.substr(name.rfind('_') + 1);
}

std::string without_kind(const std::string& name) {
    return name.substr(kPrefixes[static_cast<std::size_t>(kind_of(name))].size());
}

}  // namespace byhand
