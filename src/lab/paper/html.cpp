#include "lab/paper/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report_xml.h"
#include "lab/paper/text.h"

namespace byhand::lab {
namespace {

using report::escaped;

// Light and dark, on a screen of any width and on paper. (No ">" in it: the page is XML too.)
constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f6f7f9; --text: #1b1f24; --quiet: #58606b; --line: #d5dae1; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --raised: #1d2126; --text: #e6e9ed; --quiet: #a0a8b3; --line: #363c45; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 56rem; padding: 1.5rem 1rem 3rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
.above, .place, caption { color: var(--quiet); font-size: 0.8125rem; }
.above { margin: 0 0 0.25rem; }
p { margin: 0.75rem 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 0.375rem; }
th, td { padding: 0.1875rem 0.75rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0.25rem; }
thead th { color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 400; }
dl { margin: 1rem 0; padding: 0.5rem 1rem; background: var(--raised); border-radius: 8px; }
dt, dd code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125rem; }
dt { margin-top: 0.375rem; overflow-wrap: anywhere; }
dd { margin: 0 0 0.375rem 1.25rem; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0 0; background: #ffffff; border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem; }
figure svg { display: block; width: 100%; height: auto; }
)css";

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

std::string html_of(const Table& table) {
    std::string html = "<div class=\"scroll\"><table>\n";
    if (!table.title.empty()) {
        html += "<caption>" + escaped(table.title) + "</caption>\n";
    }
    html += "<thead><tr>";
    for (const std::string& column : table.columns) {
        html += column.empty() ? "<td></td>" : "<th scope=\"col\">" + escaped(column) + "</th>";
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string shown = escaped(row[i].shown);
            html += i == 0 ? "<th scope=\"row\">" + shown + "</th>" : "<td>" + shown + "</td>";
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

std::string html_of(const Formulas& formulas, const SourceOf& source) {
    std::string html = "<dl>\n";
    for (const std::string& function : formulas.functions) {
        const SourceLine found = formula_of(function, source);
        html += fmt::format("<dt>{}</dt><dd><code>{}</code> <span class=\"place\">{}</span></dd>\n",
                            escaped(found.formula), escaped(function), escaped(found.place));
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

std::string to_html(const Paper& paper, const SourceOf& source, const std::string& svg) {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta "
        "name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
        "<header>\n<p class=\"above\">byhand lab {2}: {3}</p>\n<h1>{0}</h1>\n</header>\n<main>\n",
        escaped(paper.title), kStyle, escaped(paper.experiment), escaped(paper.note));
    for (const Block& block : paper.blocks) {
        if (const auto* words = std::get_if<Text>(&block)) {
            html += html_of(*words);
        } else if (const auto* table = std::get_if<Table>(&block)) {
            html += html_of(*table);
        } else {
            html += html_of(std::get<Formulas>(block), source);
        }
    }
    return html + figure_of(svg) + "</main>\n</body>\n</html>\n";
}

}  // namespace byhand::lab
