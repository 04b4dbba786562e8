#include <fmt/format.h>

#include <algorithm>

#include "report/writers.h"
#include "report/xml.h"

namespace byhand {
namespace {

using report::escaped;

// In the mark's colour.
std::string marked(const std::string& words, Mark mark) {
    const char* const style = mark == Mark::good ? "ok" : mark == Mark::bad ? "off" : "open";
    return mark == Mark::none || words.empty()
               ? in_html(words)
               : fmt::format(R"(<span class="mark {}">{}</span>)", style, in_html(words));
}

// A paragraph for each line.
std::string html_of(const Text& text) {
    std::string html, lead = marked(text.lead, text.mark);
    for (std::size_t begin = 0; begin < text.words.size(); lead.clear()) {
        const std::size_t end = std::min(text.words.find('\n', begin), text.words.size());
        html += "<p>" + lead + in_html(std::string_view(text.words).substr(begin, end - begin)) + "</p>\n";
        begin = end + 1;
    }
    return text.code.empty() ? html : html + "<pre>" + escaped(text.code) + "</pre>\n";
}

// Columns that text may drop are not shown on a narrow screen.
std::string class_of(const Table& table, std::size_t column) {
    std::string names = table.columns[column].align == Align::below ? "left words"
                        : is_left(table, column)                    ? "left"
                                                                    : "";
    if (table.columns[column].drop_order > 0) {
        names += names.empty() ? "wide" : " wide";
    }
    return names.empty() ? "" : " class=\"" + names + "\"";
}

bool is_hidden(const Column& column) {
    return column.align == Align::hidden;
}

// Nothing where no column has a title.
std::string heading_of(const Table& table) {
    std::string cells;
    bool has_title = false;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const std::string& title = table.columns[i].title;
        if (!is_hidden(table.columns[i])) {
            has_title = has_title || !title.empty();
            cells += title.empty() ? fmt::format("<td{}></td>", class_of(table, i))
                                   : fmt::format("<th scope=\"col\"{}>{}</th>", class_of(table, i), escaped(title));
        }
    }
    return has_title ? "<thead><tr>" + cells + "</tr></thead>\n" : "";
}

std::string html_of(const Table& table) {
    return to_html(table);
}

std::string html_of(const Formulas& formulas) {
    std::string html = "<dl>\n";
    for (const ShownFormula& one : formulas.formulas) {
        html += fmt::format("<dt>{}</dt><dd><code>{}</code> <span class=\"place\">{}</span></dd>\n",
                            escaped(one.formula), escaped(one.function), escaped(one.place));
    }
    return html + "</dl>\n";
}

// What lies between the tags <svg …> and </svg>, with them: without the XML declaration, which stands only at a file's
// beginning.
std::string figure_of(const std::string& svg) {
    const std::size_t begin = svg.find("<svg");
    return begin == std::string::npos ? "" : "<figure>\n" + svg.substr(begin) + "</figure>\n";
}

}  // namespace

std::string in_html(std::string_view words) {
    std::string html;
    for (std::size_t begin = 0; begin < words.size();) {
        const std::size_t open = words.find('`', begin);
        const std::size_t close = open == std::string_view::npos ? open : words.find('`', open + 1);
        if (close == std::string_view::npos) {
            return html + escaped(words.substr(begin));
        }
        html += escaped(words.substr(begin, open - begin)) + "<code>" +
                escaped(words.substr(open + 1, close - open - 1)) + "</code>";
        begin = close + 1;
    }
    return html;
}

std::string to_html(const Table& table) {
    if (std::ranges::all_of(table.columns, is_hidden)) {
        return "";
    }
    const auto first = std::ranges::find_if_not(table.columns, is_hidden) - table.columns.begin();
    const std::string heading = heading_of(table);
    std::string html = fmt::format("<div class=\"scroll\"><table{}>\n", heading.empty() ? " class=\"facts\"" : "");
    if (!table.title.empty()) {
        html += "<caption>" + escaped(table.title) + "</caption>\n";
    }
    html += heading + "<tbody>\n";
    for (const std::size_t index : order_of_rows(table)) {
        const std::vector<Cell>& row = table.rows[index];
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (!is_hidden(table.columns[i])) {
                html += fmt::format(fmt::runtime(i == static_cast<std::size_t>(first) ? "<th scope=\"row\"{}>{}</th>"
                                                                                      : "<td{}>{}</td>"),
                                    class_of(table, i), marked(row[i].shown, row[i].mark));
            }
        }
        html += "</tr>\n";
    }
    html += "</tbody></table></div>\n";
    std::string dropped;
    for (const Column& column : table.columns) {
        if (column.drop_order > 0 && !is_hidden(column)) {
            dropped += (dropped.empty() ? "" : ", ") + column.title;
        }
    }
    return dropped.empty() ? html
                           : html + "<p class=\"narrow\">Not shown on a narrow screen: " + escaped(dropped) + "</p>\n";
}

std::string to_html(const Document& document, const std::string& svg) {
    const std::string above = document.subject + (document.note.empty() ? "" : ": " + document.note);
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta "
        "name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body "
        "class=\"document\">\n<header{3}>\n<p class=\"above\">byhand {2}</p>\n<h1>{0}</h1>\n",
        escaped(document.title), report::kStyle, escaped(above), document.agrees ? "" : " class=\"disagree\"");
    std::string body;
    for (const Block& block : document.blocks) {
        const Text* const text = std::get_if<Text>(&block);
        (text != nullptr && text->is_conclusion ? html : body) +=
            std::visit([](const auto& one) { return html_of(one); }, block);
    }
    html += "</header>\n<main>\n" + body;
    return html + figure_of(svg) + "</main>\n</body>\n</html>\n";
}

}  // namespace byhand
