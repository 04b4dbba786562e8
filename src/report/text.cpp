#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "report/lines.h"

namespace byhand {
namespace {

constexpr std::size_t kWidth = 79;

// Whether the column is none of those that stand beside one another.
bool is_apart(const Table& table, std::size_t column) {
    return table.columns[column].align == Align::below || table.columns[column].align == Align::hidden;
}

// Two spaces between columns, and none at the end.
std::string line_of(const Table& table, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line, below;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (is_apart(table, i)) {
            const bool is_shown = table.columns[i].align == Align::below && !cells[i].empty();
            below += is_shown ? "      " + cells[i] + "\n" : "";
            continue;
        }
        const std::string padding(widths[i] - width_of(cells[i]), ' ');
        line += "  " + (is_left(table, i) ? cells[i] + padding : padding + cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n" + below;
}

std::string text_of(const Text& text) {
    return wrapped(text.words, kWidth) + "\n";
}

std::string text_of(const Table& table) {
    std::vector<std::vector<std::string>> lines(1);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        lines.front().push_back(is_apart(table, i) ? "" : table.columns[i].title);
    }
    for (const std::vector<Cell>& row : table.rows) {
        std::ranges::transform(row, std::back_inserter(lines.emplace_back()), &Cell::shown);
    }
    std::vector<std::size_t> widths(table.columns.size(), 0);
    for (const std::vector<std::string>& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(line.at(i)));
        }
    }
    std::string text = table.title.empty() ? "" : wrapped(table.title, kWidth) + "\n";
    for (const std::vector<std::string>& line : lines) {
        text += line_of(table, line, widths);
    }
    return text;
}

std::string text_of(const Formulas& formulas) {
    std::string text;
    for (const ShownFormula& one : formulas.formulas) {
        std::string formula = wrapped(one.formula, kWidth - 2);
        for (std::size_t at = 0; (at = formula.find('\n', at)) != std::string::npos; at += 3) {
            formula.insert(at + 1, "  ");
        }
        text += fmt::format("  {}\n      {}, {}\n", formula, one.function, one.place);
    }
    return text;
}

}  // namespace

std::string to_text(const Table& table) {
    return text_of(table);
}

std::string to_text(const Document& document) {
    std::string text = document.title + (document.note.empty() ? "" : " (" + document.note + ")") + "\n";
    for (const Block& block : document.blocks) {
        text += "\n" + std::visit([](const auto& one) { return text_of(one); }, block);
    }
    return text;
}

}  // namespace byhand
