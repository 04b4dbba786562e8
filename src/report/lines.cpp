#include <algorithm>
#include <ranges>

#include "base/utf8.h"
#include "report/writers.h"

namespace byhand {

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    for (const char32_t c : from_utf8(text)) {
        width += c >= 0x300 && c < 0x370 ? 0 : 1;
    }
    return width;
}

std::string wrapped(std::string_view text, std::size_t width) {
    std::string out;
    for (const auto line_range : std::views::split(text, '\n')) {
        const std::string_view line(line_range.begin(), line_range.end());
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        out += (line.data() == text.data() ? "" : "\n") + std::string(indent, ' ');
        std::size_t column = indent;
        for (const auto word_range : std::views::split(line.substr(indent), ' ')) {
            const std::string_view word(word_range.begin(), word_range.end());
            const std::size_t wide = width_of(word);
            if (column > indent && wide > 0 && column + 1 + wide > width) {
                out += '\n' + std::string(indent, ' ');
                column = indent;
            }
            if (column > indent && wide > 0) {
                out += ' ';
                ++column;
            }
            out += word;
            column += wide;
        }
    }
    return out;
}

std::string plural(std::size_t n, const std::string& thing) {
    return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

}  // namespace byhand
