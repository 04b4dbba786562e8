// A document as text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "report/document.h"

namespace byhand {

struct Terminal {
    std::size_t width = 80;
    bool colour = false;
};

// Fits the width: a table that is too wide drops columns by their `drop_order`, and a line under it names them; then
// the last column, if it is aligned to the left, is wrapped. (A table with neither stays too wide.) Tables with the
// same columns, of which some may be dropped, share one layout. Without the plots.
std::string to_text(const Document& document, const Terminal& terminal = {});
std::string to_text(const Table& table, const Terminal& terminal = {});

// ---- Text layout for a terminal ----

// The number of columns: a combining mark (the hat of x̂) has none. Precondition: UTF-8.
std::size_t width_of(std::string_view text);

// Wraps between words so that no line is wider than `width` columns (except for longer words). Line breaks stay, and
// the lines that a line is broken into are indented as it is.
std::string wrapped(std::string_view text, std::size_t width);

// Two numbers with so many digits that they look different if they are; with all digits of a double if `in_double`.
std::pair<std::string, std::string> two_numbers(double a, double b, bool in_double);

// "1 tensor", "2 tensors".
std::string plural(std::size_t n, const std::string& thing);

}  // namespace byhand
