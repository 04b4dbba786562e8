#include "steps/glossary.h"

#include <algorithm>

#include "base/value.h"

namespace byhand {
namespace {

const GlossaryRow* row_called(const std::string& base, std::size_t of_layer, const Glossary& glossary) {
    const GlossaryRow* first = nullptr;
    for (const auto& [layer, rows] : glossary) {
        const auto found = std::ranges::find(rows, base, &GlossaryRow::value);
        if (found != rows.end() && layer == of_layer) {
            return &*found;
        }
        first = found != rows.end() && first == nullptr ? &*found : first;
    }
    return first;
}

// The row for an optimizer's state or intermediate result of parameters, by its role.
const GlossaryRow* row_of_role(const std::string& role, const Glossary& glossary) {
    for (const auto& [layer, rows] : glossary) {
        const auto found =
            std::ranges::find_if(rows, [&](const GlossaryRow& row) { return row.is_role && row.value == role; });
        if (found != rows.end()) {
            return &*found;
        }
    }
    return nullptr;
}

}  // namespace

const GlossaryRow* find_row(const Glossary& glossary, const std::string& name) {
    const Value value = value_of(name);
    const GlossaryRow* own = row_called(value.base, value.layer, glossary);
    return own != nullptr ? own : row_of_role(role_of(value.base), glossary);
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
