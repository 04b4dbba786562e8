#include "lab/paper/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "lab/paper/lines.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kWidth = 79;

// The first column to the left, the others to the right, two spaces between.
std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line = "  ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string padding(widths[i] - width_of(cells[i]), ' ');
        line += i == 0 ? cells[i] + padding : "  " + padding + cells[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

std::string text_of(const Table& table) {
    std::vector<std::vector<std::string>> lines = {table.columns};
    for (const std::vector<Cell>& row : table.rows) {
        std::vector<std::string>& line = lines.emplace_back();
        for (const Cell& cell : row) {
            line.push_back(cell.shown);
        }
    }
    std::vector<std::size_t> widths(table.columns.size(), 0);
    for (const std::vector<std::string>& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(line.at(i)));
        }
    }
    std::string text = table.title.empty() ? "" : wrapped(table.title, kWidth) + "\n";
    for (const std::vector<std::string>& line : lines) {
        text += line_of(line, widths);
    }
    return text;
}

std::string text_of(const Formulas& formulas, const SourceOf& source) {
    std::string text;
    for (const std::string& function : formulas.functions) {
        const SourceLine found = formula_of(function, source);
        std::string formula = wrapped(found.formula, kWidth - 2);
        for (std::size_t at = 0; (at = formula.find('\n', at)) != std::string::npos; at += 3) {
            formula.insert(at + 1, "  ");
        }
        text += fmt::format("  {}\n      {}, {}\n", formula, function, found.place);
    }
    return text;
}

}  // namespace

SourceLine formula_of(const std::string& function, const SourceOf& source) {
    SourceLine found = source(function);
    if (found.formula.empty()) {
        throw std::logic_error("no function of src/manual is called " + function);
    }
    return found;
}

std::string to_text(const Paper& paper, const SourceOf& source) {
    std::string text = fmt::format("{} ({})\n", paper.title, paper.note);
    for (const Block& block : paper.blocks) {
        text += "\n";
        if (const auto* words = std::get_if<Text>(&block)) {
            text += wrapped(words->words, kWidth) + "\n";
        } else if (const auto* table = std::get_if<Table>(&block)) {
            text += text_of(*table);
        } else {
            text += text_of(std::get<Formulas>(block), source);
        }
    }
    return text;
}

}  // namespace byhand::lab
