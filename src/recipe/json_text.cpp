#include "recipe/json_text.h"

#include <cstddef>

namespace byhand {
namespace {

using nlohmann::ordered_json;

// What stands before an item of `value`: its key, or nothing in an array.
std::string label(const ordered_json& value, const std::string& key) {
    return value.is_object() ? ordered_json(key).dump() + ": " : "";
}

std::string one_line(const ordered_json& value) {
    if (!value.is_structured()) {
        return value.dump();
    }
    std::string text;
    for (const auto& [key, item] : value.items()) {
        text += text.empty() ? "" : ", ";
        text += label(value, key);
        text += one_line(item);
    }
    return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

// `column`: where the value begins on its line; `indent`: where the line begins.
std::string laid_out(const ordered_json& value, std::size_t indent, std::size_t column) {
    constexpr std::size_t kColumns = 100;
    std::string line = one_line(value);
    if (!value.is_structured() || value.empty() || (indent > 0 && column + line.size() <= kColumns)) {
        return line;
    }
    const std::string margin(indent + 2, ' ');
    std::string text;
    for (const auto& [key, item] : value.items()) {
        const std::string name = label(value, key);
        text += text.empty() ? "\n" : ",\n";
        text += margin;
        text += name;
        text += laid_out(item, indent + 2, indent + 2 + name.size());
    }
    text += "\n" + std::string(indent, ' ');
    return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

}  // namespace

std::string readable_text(const ordered_json& value) {
    return laid_out(value, 0, 0);
}

}  // namespace byhand
