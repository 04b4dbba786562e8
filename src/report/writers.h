// How a document is written: as text for a terminal, CSV, JUnit XML, a page, plots.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/document.h"

namespace byhand {

struct Terminal {
    std::size_t width = 80;
    bool colour = false;
};

// Fits the width: a table that is too wide drops columns by their `drop_order`, and the last line names those of all
// tables; then the last column, if it is aligned to the left, is wrapped. (A table with neither stays too wide.) Tables
// with the same columns, of which some may be dropped, share one layout. Without the plots.
std::string to_text(const Document& document, const Terminal& terminal = {});

// The number of columns: a combining mark (the hat of x̂) has none. Precondition: UTF-8.
std::size_t width_of(std::string_view text);

// Wraps between words so that no line is wider than `width` columns (except for longer words). Line breaks stay, and
// the lines that a line is broken into are indented as it is.
std::string wrapped(std::string_view text, std::size_t width);

// "1 tensor", "2 tensors".
std::string plural(std::size_t n, const std::string& thing);

// A value as one field, not yet quoted: all digits, the items of a list separated by blanks, nothing for null. Control
// characters become "\x1b".
std::string field_of(const Json& value);

// RFC 4180: the keys of the first table that has keys, then its rows with all digits, and those of all tables with the
// same keys. Empty without such a table.
std::string to_csv(const Document& document);

// By the keys of the columns: it has the row's name, and passes, fails or is skipped as its verdict is good, bad or
// open. What does not pass says why after the verdict as it is shown; a failure has all other values below, by their
// keys.
report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why);

// ---- A document as one self-contained page: no network access, no script ----

// The class of a mark in the style sheet, and the sign that tells it from others without colours.
struct MarkStyle {
    const char *name, *sign;
};
MarkStyle style_of(Mark mark);

// Escaped words; what is between backticks is code, and "[dW1](#id)" a link to the details with this id.
std::string in_html(std::string_view words);

std::string to_html(const std::vector<Block>& blocks);

// HTML that is also XML. A table scrolls where it is wider than the page; columns with a drop order are not shown on a
// narrow screen, and a line below says so. A table of hidden columns alone is not shown.
std::string to_html(const Document& document);

// ---- Plots as gnuplot's commands ----

// Drawn in characters, one plot below the other. Points that are not finite, or not positive on a logarithmic axis, are
// omitted.
std::string terminal_script(const std::vector<Plot>& plots, std::size_t columns, std::size_t rows);

// One SVG image of all, one plot below the other. Precondition: there is at least one.
std::string svg_script(const std::vector<Plot>& plots);

namespace report {

// Test reports in JUnit's XML, valid by Ant's schema and by Jenkins' own. Times are 0 and dates 1970, because they are
// not measured. Text is escaped.
std::string junit(const std::vector<Suite>& suites);

// SARIF 2.1.0, for code scanning: a result for each case that failed, at its place, or else at the suite's file.
std::string sarif(const std::vector<Suite>& suites);

// For an attribute or between tags. Characters that are invalid in XML become U+FFFD, and those that change the text
// direction or end the line are written as printable() writes them.
std::string escaped(std::string_view text);

// The style sheet of every page, style.css, which the build embeds in the program.
extern const char* const kStyle;

}  // namespace report

}  // namespace byhand
