// Text set for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byhand {

// The columns that it takes: a combining mark (the hat of x̂) takes none. Precondition: UTF-8.
std::size_t width_of(std::string_view text);

// Broken between words so that no line is wider than `width` columns (but for single words that are). Line breaks stay,
// and so does what a line begins with: the lines that it is broken into are indented as it is.
std::string wrapped(std::string_view text, std::size_t width);

// "1 tensor", "2 tensors".
std::string plural(std::size_t n, const std::string& thing);

}  // namespace byhand
