#include <fmt/core.h>

#include <algorithm>

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
    std::size_t column = 0, indent = 0;
    for (bool begins = true; !text.empty();) {
        if (begins) {
            indent = std::min(text.find_first_not_of(' '), text.size());
            out.append(indent, ' ');
            text.remove_prefix(indent);
            column = indent;
            begins = false;
            continue;
        }
        const std::size_t size = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, size);
        const std::size_t wide = width_of(word);
        if (column > indent && column + 1 + wide > width) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        }
        if (column > indent && wide > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += wide;
        if (size < text.size() && text[size] == '\n') {
            out += '\n';
            begins = true;
        }
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    return out;
}

std::pair<std::string, std::string> two_numbers(double a, double b, bool in_double) {
    std::string short_a = fmt::format("{:.8g}", a), short_b = fmt::format("{:.8g}", b);
    if (in_double || short_a == short_b) {
        return {fmt::format("{:.17g}", a), fmt::format("{:.17g}", b)};
    }
    return {std::move(short_a), std::move(short_b)};
}

std::string plural(std::size_t n, const std::string& thing) {
    return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

}  // namespace byhand
