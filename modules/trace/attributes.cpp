#include "trace/attributes.h"

#include <algorithm>
#include <limits>

#include "base/nearest.h"
#include "recipe/json_fields.h"

namespace byhand {
namespace {

// Null if it has its default.
const Json* find(const TracedStep& step, const char* name) {
    const Json* value = step.attributes.find(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

bool is_whole(const Json& value) {
    if (const auto* positive = std::get_if<std::uint64_t>(&value.value())) {
        return *positive <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    }
    return std::holds_alternative<std::int64_t>(value.value());
}

void check_type(const Field& field, AttributeType type) {
    const Json& value = field.value;
    switch (type) {
        case AttributeType::number:
            if (!value.is_number() && value != Json("inf") && value != Json("-inf")) {
                field.refuse_value("takes a number, \"inf\" or \"-inf\"");
            }
            break;
        case AttributeType::whole:
            if (!is_whole(value)) {
                field.refuse_value("takes a whole number");
            }
            break;
        case AttributeType::wholes:
            if (!is_whole(value) && !(value.is_array() && std::ranges::all_of(value, is_whole))) {
                field.refuse_value("takes a whole number, or an array of them");
            }
            break;
        case AttributeType::truth:
            truth(field);
            break;
        case AttributeType::approximate:
            OneOf{{"none", "tanh"}}(field);
            break;
        case AttributeType::reduction:
            OneOf{{"none", "mean", "sum"}}(field);
            break;
    }
}

}  // namespace

void check_attributes(const TracedStep& step, const std::vector<Attribute>& known) {
    const std::string path = path_to(step.path, "attributes");
    std::vector<std::string> names;
    for (const Attribute& attribute : known) {
        names.emplace_back(attribute.name);
        const Json* value = find(step, attribute.name);
        if (value != nullptr) {
            check_type({*value, step.file, path_to(path, attribute.name)}, attribute.type);
        } else if (attribute.needed) {
            refuse(step.file, path_to(path, attribute.name), "is missing; " + step.operation + " needs it");
        }
    }
    for (const auto& [key, value] : step.attributes.items()) {
        if (std::ranges::find(names, key) == names.end()) {
            refuse(step.file, path_to(path, key),
                   step.operation + (names.empty() ? " has no attributes; leave it out"
                                                   : " has no such attribute" + the_nearest(key, names) + " (it has " +
                                                         listed(names, "and") + ")"));
        }
    }
}

double number_of(const TracedStep& step, const char* name, double otherwise) {
    const Json* value = find(step, name);
    if (value != nullptr && value->is_string()) {
        const double infinity = std::numeric_limits<double>::infinity();
        return *value == Json("inf") ? infinity : -infinity;
    }
    return value != nullptr ? value->get<double>() : otherwise;
}

std::optional<std::int64_t> whole_of(const TracedStep& step, const char* name) {
    const Json* value = find(step, name);
    return value != nullptr ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::int64_t whole_of(const TracedStep& step, const char* name, std::int64_t otherwise) {
    return whole_of(step, name).value_or(otherwise);
}

std::vector<std::int64_t> wholes_of(const TracedStep& step, const char* name,
                                    const std::vector<std::int64_t>& otherwise) {
    const Json* value = find(step, name);
    return value == nullptr    ? otherwise
           : value->is_array() ? value->get<std::vector<std::int64_t>>()
                               : std::vector{value->get<std::int64_t>()};
}

bool truth_of(const TracedStep& step, const char* name, bool otherwise) {
    const Json* value = find(step, name);
    return value != nullptr ? value->get<bool>() : otherwise;
}

std::string word_of(const TracedStep& step, const char* name, const char* otherwise) {
    const Json* value = find(step, name);
    return value != nullptr ? value->get<std::string>() : otherwise;
}

}  // namespace byhand
