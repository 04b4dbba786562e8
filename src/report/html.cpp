#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "report/writers.h"

namespace byhand {
namespace {

using report::escaped;

// A sign and the words, in the mark's colour.
std::string marked(const std::string& words, Mark mark) {
    const MarkStyle style = style_of(mark);
    return mark == Mark::none || words.empty()
               ? in_html(words)
               : fmt::format(R"(<span class="mark {}"><b aria-hidden="true">{}</b> {}</span>)", style.name, style.sign,
                             in_html(words));
}

// A paragraph for each line; a frame around what is wrong and needs several.
std::string html_of(const Text& text) {
    if (text.role == TextRole::heading) {
        return "<h2>" + in_html(text.words) + "</h2>\n";
    }
    std::string html, lead = marked(text.lead, text.mark);
    for (std::size_t begin = 0; begin < text.words.size(); lead.clear()) {
        const std::size_t end = std::min(text.words.find('\n', begin), text.words.size());
        html += "<p>" + lead + in_html(std::string_view(text.words).substr(begin, end - begin)) + "</p>\n";
        begin = end + 1;
    }
    html += text.code.empty() ? "" : "<pre>" + escaped(text.code) + "</pre>\n";
    const bool is_framed = text.role == TextRole::paragraph && is_bad(text.mark) &&
                           (!text.code.empty() || text.words.find('\n') != std::string::npos);
    return is_framed ? "<article class=\"culprit\">\n" + html + "</article>\n" : html;
}

// Columns that text may drop are not shown on a narrow screen.
std::string class_of(const Table& table, std::size_t column) {
    const Column& of = table.columns[column];
    std::string names = of.align == Align::below ? " left words" : is_left(table, column) ? " left" : "";
    names += of.drop_order > 0 ? fmt::format(" wide drop{}", of.drop_order) : "";
    names += of.svg.empty() ? "" : " image";
    return names.empty() ? "" : " class=\"" + names.substr(1) + "\"";
}

bool is_hidden(const Column& column) {
    return column.align == Align::hidden;
}

// Nothing where no column has a title.
std::string heading_of(const Table& table) {
    std::string cells;
    bool has_title = false;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const std::string &title = table.columns[i].title, &svg = table.columns[i].svg;
        if (!is_hidden(table.columns[i])) {
            has_title = has_title || !title.empty();
            const std::string words =
                svg.empty() ? escaped(title) : "<span class=\"vh\">" + escaped(title) + "</span>" + svg;
            cells += title.empty() ? fmt::format("<td{}></td>", class_of(table, i))
                                   : fmt::format("<th scope=\"col\"{}>{}</th>", class_of(table, i), words);
        }
    }
    return has_title
               ? (table.details.empty() ? "<thead><tr>" : "<thead class=\"head\"><tr>") + cells + "</tr></thead>\n"
               : "";
}

std::string cells_of(const Table& table, const std::vector<Cell>& row) {
    std::string html;
    const char* tag = "th scope=\"row\"";  // of the first cell that is shown
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!is_hidden(table.columns[i])) {
            html += fmt::format("<{}{}>{}</{}>", tag, class_of(table, i),
                                row[i].svg.empty() ? marked(row[i].shown, row[i].mark) : row[i].svg,
                                std::string_view(tag).substr(0, 2));
            tag = "td";
        }
    }
    return html;
}

std::string html_of(const Details& details) {
    return fmt::format("<details{}><summary><span>{}</span></summary>\n<div class=\"opened\"{}>\n{}</div></details>\n",
                       details.is_open ? " open=\"open\"" : "", in_html(details.summary),
                       details.id.empty() ? "" : " id=\"" + escaped(details.id) + "\"", to_html(details.blocks));
}

// Its line is a row of the table.
std::string opening_row(const Table& table, std::size_t row) {
    const Details& details = table.details[row];
    std::string html;
    if (!details.group.empty() && (row == 0 || table.details[row - 1].group != details.group)) {
        html += fmt::format(
            "<tbody class=\"group\"><tr><th colspan=\"{}\" scope=\"rowgroup\">{} <small>{}</small></th></tr></tbody>\n",
            table.columns.size(), escaped(details.group),
            std::ranges::count(table.details, details.group, &Details::group));
    }
    return html + fmt::format(
                      "<tbody class=\"opens\"><tr class=\"row\">{}</tr>\n<tr><td class=\"more\" "
                      "colspan=\"{}\">{}</td></tr></tbody>\n",
                      cells_of(table, table.rows[row]), table.columns.size(), html_of(details));
}

// Names the columns that a narrow screen has no room for.
std::string dropped_columns(const Table& table) {
    std::string names;
    for (const Column& column : table.columns) {
        if (column.drop_order > 0 && !is_hidden(column)) {
            names += fmt::format("<span class=\"drop{}\">{}{}</span>", column.drop_order, names.empty() ? "" : ", ",
                                 escaped(column.title));
        }
    }
    return names.empty() ? "" : "<p class=\"narrow\">Not shown on a narrow screen: " + names + "</p>\n";
}

// It scrolls where it is wider than the page, unless its rows open.
std::string html_of(const Table& table) {
    if (std::ranges::all_of(table.columns, is_hidden)) {
        return "";
    }
    const std::string heading = heading_of(table);
    std::string rows;
    for (const std::size_t row : order_of_rows(table)) {
        rows += table.details.empty() ? "<tr>" + cells_of(table, table.rows[row]) + "</tr>\n" : opening_row(table, row);
    }
    const char* const frame = !table.details.empty() ? "<table class=\"opening\">\n{}</table>\n"
                              : heading.empty() ? "<div class=\"scroll\"><table class=\"facts\">\n{}</table></div>\n"
                                                : "<div class=\"scroll\"><table>\n{}</table></div>\n";
    const std::string caption = table.title.empty() ? "" : "<caption>" + in_html(table.title) + "</caption>\n";
    return fmt::format(fmt::runtime(frame),
                       caption + heading + (table.details.empty() ? "<tbody>\n" + rows + "</tbody>" : rows)) +
           dropped_columns(table);
}

std::string html_of(const Formulas& formulas) {
    std::string html = "<dl>\n";
    for (const ShownFormula& one : formulas.formulas) {
        html += fmt::format("<dt>{}</dt><dd><code>{}</code> <span class=\"place\">{}</span></dd>\n",
                            escaped(one.formula), escaped(one.function), escaped(one.place));
    }
    return html + "</dl>\n";
}

// Without the XML declaration, which may stand only at a file's beginning.
std::string html_of(const Figure& figure) {
    if (figure.svg.empty() && figure.note.empty()) {
        return "";
    }
    const std::string caption =
        figure.caption.empty() ? "" : "<figcaption>" + in_html(figure.caption) + "</figcaption>\n";
    const std::string note = figure.note.empty() ? "" : "<p>" + in_html(figure.note) + "</p>\n";
    return "<figure>\n" + caption + figure.svg.substr(std::min(figure.svg.find("<svg"), figure.svg.size())) + note +
           "</figure>\n";
}

// "[dW1](#dW1)" at this place: the length of its two parts; else 0.
std::pair<std::size_t, std::size_t> link_at(std::string_view words, std::size_t at) {
    const std::size_t middle = words.find("](#", at), end = words.find(')', middle);
    const bool is_one = end != std::string_view::npos &&
                        words.substr(at + 1, middle - at - 1).find_first_of(" [`") == std::string_view::npos;
    return is_one ? std::pair(middle - at - 1, end - middle - 3) : std::pair(std::size_t{0}, std::size_t{0});
}

}  // namespace

MarkStyle style_of(Mark mark) {
    constexpr std::array<MarkStyle, 7> kStyles = {
        {{"culprit", "✗"}, {"heir", "↳"}, {"off", "!"}, {"open", "?"}, {"ok", "✓"}, {"same", "="}, {"none", "–"}}};
    return kStyles[static_cast<std::size_t>(mark)];
}

std::string in_html(std::string_view words) {
    std::string html;
    while (!words.empty()) {
        const std::size_t at = std::min(words.find_first_of("`["), words.size());
        html += escaped(words.substr(0, at));
        words.remove_prefix(at);
        const std::size_t close = words.find('`', 1);
        const auto [name, id] = link_at(words, 0);
        if (words.starts_with('`') && close != std::string_view::npos) {
            html += "<code>" + escaped(words.substr(1, close - 1)) + "</code>";
            words.remove_prefix(close + 1);
        } else if (words.starts_with('[') && id > 0) {
            html += fmt::format("<a href=\"#{}\">{}</a>", escaped(words.substr(name + 4, id)),
                                escaped(words.substr(1, name)));
            words.remove_prefix(name + id + 5);
        } else if (!words.empty()) {
            html += words.front();
            words.remove_prefix(1);
        }
    }
    return html;
}

std::string to_html(const std::vector<Block>& blocks) {
    std::string html;
    for (const Block& block : blocks) {
        html += std::visit([](const auto& one) { return html_of(one); }, block);
    }
    return html;
}

std::string to_html(const Document& document) {
    const std::string above = document.subject + (document.note.empty() ? "" : ": " + document.note);
    std::vector<Block> conclusions, others;
    bool is_good = false;
    for (const Block& block : document.blocks) {
        const Text* const text = std::get_if<Text>(&block);
        const bool is_conclusion = text != nullptr && text->role == TextRole::conclusion;
        is_good = is_good || (is_conclusion && text->mark == Mark::good);
        (is_conclusion ? conclusions : others).push_back(block);
    }
    return fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta "
        "name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
        "<header{3}>\n<p class=\"above\">byhand {2}</p>\n<h1>{0}</h1>\n{4}</header>\n<main>\n{5}</main>\n"
        "</body>\n</html>\n",
        escaped(document.title), report::kStyle, escaped(above),
        !document.agrees ? " class=\"disagree\""
        : is_good        ? " class=\"agree\""
                         : "",
        to_html(conclusions), to_html(others));
}

}  // namespace byhand
