#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/style.h"
#include "report/xml.h"

namespace byhand {
namespace {

using report::escaped;

// A paragraph for each line.
std::string html_of(const Text& text) {
    std::string html;
    for (std::size_t begin = 0; begin < text.words.size();) {
        const std::size_t end = std::min(text.words.find('\n', begin), text.words.size());
        html += "<p>" + escaped(std::string_view(text.words).substr(begin, end - begin)) + "</p>\n";
        begin = end + 1;
    }
    return html;
}

const char* class_of(const Table& table, std::size_t column) {
    return is_left(table, column) ? " class=\"left\"" : "";
}

std::string html_of(const Table& table) {
    std::string html = "<div class=\"scroll\"><table>\n";
    if (!table.title.empty()) {
        html += "<caption>" + escaped(table.title) + "</caption>\n";
    }
    html += "<thead><tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto& [title, key, align] = table.columns[i];
        if (align != Align::hidden) {
            html += title.empty() ? "<td></td>"
                                  : fmt::format("<th scope=\"col\"{}>{}</th>", class_of(table, i), escaped(title));
        }
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (table.columns[i].align != Align::hidden) {
                html += fmt::format(fmt::runtime(i == 0 ? "<th scope=\"row\"{}>{}</th>" : "<td{}>{}</td>"),
                                    class_of(table, i), escaped(row[i].shown));
            }
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
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

std::string to_html(const Document& document, const std::string& svg) {
    const std::string above = document.subject + (document.note.empty() ? "" : ": " + document.note);
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta "
        "name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body "
        "class=\"document\">\n<header>\n<p class=\"above\">byhand {2}</p>\n<h1>{0}</h1>\n</header>\n<main>\n",
        escaped(document.title), report::kStyle, escaped(above));
    for (const Block& block : document.blocks) {
        html += std::visit([](const auto& one) { return html_of(one); }, block);
    }
    return html + figure_of(svg) + "</main>\n</body>\n</html>\n";
}

}  // namespace byhand
