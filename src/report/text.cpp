#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <string_view>

#include "report/writers.h"

namespace byhand {
namespace {

constexpr std::size_t kNarrowest = 20;  // columns that a terminal has, and the last column of a table

// What a line may take up: a terminal may break one that fills it.
std::size_t room_of(const Terminal& terminal) {
    return std::max(terminal.width, kNarrowest) - 1;
}

std::string painted(const std::string& text, Mark mark, const Terminal& terminal) {
    if (!terminal.colour || mark == Mark::none || text.empty()) {
        return text;
    }
    const char* const escape = mark == Mark::open ? "33" : is_bad(mark) ? "1;31" : "32";
    return fmt::format("\x1b[{}m{}\x1b[0m", escape, text);
}

// With `indent` blanks before each line but the first.
std::string indented(std::string text, std::size_t indent) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += indent + 1) {
        text.insert(at + 1, std::string(indent, ' '));
    }
    return text;
}

std::string wrapped_and_indented(std::string_view text, std::size_t indent, std::size_t room) {
    return std::string(indent, ' ') + indented(wrapped(text, room - std::min(room, indent)), indent);
}

std::size_t width_of_lines(std::string_view text) {
    std::size_t width = 0;
    for (const auto line : std::views::split(text, '\n')) {
        width = std::max(width, width_of(std::string_view(line.begin(), line.end())));
    }
    return width;
}

using Tables = std::vector<const Table*>;

// Whether columns of `table` may leave, and the other's are the same: then both have one layout.
bool share_layout(const Table& table, const Table& other) {
    return std::ranges::any_of(table.columns, [](const Column& column) { return column.drop_order > 0; }) &&
           std::ranges::equal(table.columns, other.columns,
                              [](const Column& a, const Column& b) { return a.title == b.title && a.key == b.key; });
}

// Which columns of a table stand beside one another.
struct Layout {
    std::vector<std::size_t> columns;
    std::vector<std::size_t> widths;    // of all columns of the table
    std::vector<std::size_t> left_out;  // for want of room

    std::size_t width() const {
        std::size_t sum = 0;
        for (const std::size_t column : columns) {
            sum += 2 + widths[column];
        }
        return sum;
    }
};

// Of tables with the same columns.
Layout layout_of(const Tables& tables, std::size_t room) {
    const Table& table = *tables.front();
    Layout layout;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        std::size_t width = width_of(table.columns[i].title);
        for (const Table* const one : tables) {
            for (const std::vector<Cell>& row : one->rows) {
                width = std::max(width, width_of_lines(row.at(i).shown));
            }
        }
        layout.widths.push_back(width);
        if (table.columns[i].align != Align::below && table.columns[i].align != Align::hidden) {
            layout.columns.push_back(i);
        }
    }
    const auto turn = [&](std::size_t column) {
        const std::size_t drop_order = table.columns[column].drop_order;
        return drop_order == 0 ? table.columns.size() + 1 : drop_order;
    };
    while (layout.width() > room) {
        const auto next = std::ranges::min_element(layout.columns, {}, turn);
        if (next == layout.columns.end() || table.columns[*next].drop_order == 0) {
            break;
        }
        layout.left_out.push_back(*next);
        layout.columns.erase(next);
    }
    if (!layout.columns.empty() && layout.width() > room && is_left(table, layout.columns.back())) {
        std::size_t& last = layout.widths[layout.columns.back()];
        const std::size_t others = layout.width() - last;
        last = std::max(std::min(last, kNarrowest), room - std::min(room, others));
    }
    return layout;
}

struct TableWriter {
    const Table& table;
    const Layout& layout;
    const Terminal& terminal;
    std::size_t room = room_of(terminal);

    std::string text() const {
        if (layout.columns.empty()) {
            return "";
        }
        std::string text = table.title.empty() ? "" : in_bold(wrapped(table.title, room)) + "\n";
        std::vector<Cell> titles;
        std::ranges::transform(table.columns, std::back_inserter(titles), &Column::title);
        if (std::ranges::any_of(layout.columns, [&](std::size_t i) { return !titles[i].shown.empty(); })) {
            text += line_of(titles);
        }
        for (const std::size_t row : order_of_rows(table)) {
            text += line_of(table.rows[row]) + below(table.rows[row]);
        }
        return text;
    }

    std::string in_bold(const std::string& text) const { return terminal.colour ? "\x1b[1m" + text + "\x1b[0m" : text; }

    // Two spaces before each column, and none at the end.
    std::string line_of(const std::vector<Cell>& row) const {
        std::string line;
        std::size_t begin = 0;
        for (const std::size_t i : layout.columns) {
            const std::size_t width = layout.widths[i];
            begin += 2;
            const bool may_break = i == layout.columns.back() && is_left(table, i);
            const std::string words = may_break ? indented(wrapped(row[i].shown, width), begin) : row[i].shown;
            const std::string padding(width - std::min(width, width_of_lines(words)), ' ');
            const std::string shown = painted(words, row[i].mark, terminal);
            line += "  " + (is_left(table, i) ? shown + padding : padding + shown);
            begin += width;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        return line + "\n";
    }

    std::string below(const std::vector<Cell>& row) const {
        std::string lines;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (table.columns[i].align == Align::below && !row[i].shown.empty()) {
                lines += wrapped_and_indented(row[i].shown, 6, room) + "\n";
            }
        }
        return lines;
    }
};

// A block as text.
struct BlockWriter {
    const Document& document;
    const Terminal& terminal;

    std::string operator()(const Text& text) const {
        std::string words = wrapped(text.lead + text.words, room_of(terminal));
        if (words.starts_with(text.lead)) {  // else it is broken
            words = painted(text.lead, text.mark, terminal) + words.substr(text.lead.size());
        }
        return (words.empty() ? "" : words + "\n") + text.code + (text.code.empty() ? "" : "\n");
    }

    std::string operator()(const Table& table) const { return TableWriter{table, layout(table), terminal}.text(); }

    Layout layout(const Table& table) const {
        Tables tables;
        for (const Block& block : document.blocks) {
            const auto* const other = std::get_if<Table>(&block);
            if (other != nullptr && (other == &table || share_layout(table, *other))) {
                tables.push_back(other);
            }
        }
        return layout_of(tables, room_of(terminal));
    }

    std::string operator()(const Formulas& formulas) const {
        std::string text;
        for (const ShownFormula& one : formulas.formulas) {
            text += fmt::format("{}\n      {}, {}\n", wrapped_and_indented(one.formula, 2, room_of(terminal)),
                                one.function, one.place);
        }
        return text;
    }

    std::string operator()(const Details& details) const { return (*this)(Text{details.summary}); }
    std::string operator()(const Figure& /*figure*/) const { return ""; }
};

}  // namespace

std::string to_text(const Document& document, const Terminal& terminal) {
    const BlockWriter writer{document, terminal};
    const std::string note = document.note.empty() ? "" : " (" + document.note + ")";
    std::string text = wrapped(document.title + note, room_of(terminal)) + "\n";
    std::vector<std::string> left_out;            // once for all tables
    for (const Block& block : document.blocks) {  // an empty line before each
        const std::string one = std::visit(writer, block);
        text += one.empty() ? "" : "\n" + one;
        if (const auto* table = std::get_if<Table>(&block)) {
            for (const std::size_t column : writer.layout(*table).left_out) {
                if (std::ranges::find(left_out, table->columns[column].title) == left_out.end()) {
                    left_out.push_back(table->columns[column].title);
                }
            }
        }
    }
    const std::string all = fmt::format("{}", fmt::join(left_out, ", "));
    const std::string line = fmt::format("not shown at {} columns: {}; --format csv has all", terminal.width, all);
    return text + (all.empty() ? "" : "\n" + wrapped(line, room_of(terminal)) + "\n");
}

}  // namespace byhand
