#include "steps/glossary.h"

#include "base/value.h"

namespace byhand {

const GlossaryRow* find_row(const Glossary& glossary, const std::string& name) {
    const Value value = value_of(name);
    const std::string role = role_of(value.base);
    const GlossaryRow *first = nullptr, *of_role = nullptr;
    for (const auto& [layer, rows] : glossary) {
        for (const GlossaryRow& row : rows) {
            if (row.value == value.base && layer == value.layer) {
                return &row;
            }
            first = first == nullptr && row.value == value.base ? &row : first;
            of_role = of_role == nullptr && row.is_role && row.value == role ? &row : of_role;
        }
    }
    return first != nullptr ? first : of_role;
}

std::string meaning(const Glossary& glossary, const std::string& name) {
    const GlossaryRow* row = find_row(glossary, name);
    if (row == nullptr) {
        return "";
    }
    std::string text(row->meaning);
    switch (value_of(name).kind) {
        case ValueKind::gradient:
            return "how the loss changes with " + without_kind(name) + ": " + text;
        case ValueKind::updated:
            return without_kind(name) + " after this step's update: " + text;
        case ValueKind::evaluated:
            return without_kind(name) + " in evaluation: " + text;
        case ValueKind::value:
            break;
    }
    return text;
}

std::string rule(const Glossary& glossary, const std::string& name, bool in_one) {
    const GlossaryRow* row = find_row(glossary, name);
    if (row == nullptr || value_of(name).kind != ValueKind::gradient) {
        return "";
    }
    return std::string(in_one ? row->collapsed : row->rule);
}

std::string symbol(const Glossary& glossary, const std::string& name) {
    const ValueKind kind = value_of(name).kind;
    const GlossaryRow* row = find_row(glossary, name);
    if (row == nullptr || row->symbol.empty() || (kind != ValueKind::value && kind != ValueKind::gradient)) {
        return "";
    }
    const std::string of = row->symbol == row->value ? without_kind(name) : std::string(row->symbol);
    const bool fraction = of.find('/') != std::string::npos || of.find(' ') != std::string::npos;
    return kind == ValueKind::value ? of : fraction ? "dL/d(" + of + ")" : "dL/d" + of;
}

}  // namespace byhand
