#include "base/utf8.h"

#include <array>

#include "base/error.h"

namespace byhand {
namespace {

unsigned byte_at(std::string_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
}

std::string two_digits(unsigned byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

CodePoint first_beyond_ascii(std::string_view bytes) {
    if (bytes.empty()) {
        return {};
    }
    const unsigned first = byte_at(bytes, 0);
    const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc0 || first > 0xf7 || bytes.size() < size) {
        return {};
    }
    char32_t value = first & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte_at(bytes, i) & 0xc0) != 0x80) {
            return {};
        }
        value = (value << 6) | (byte_at(bytes, i) & 0x3f);
    }
    // By size: a smaller code point would be overlong.
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < smallest[size] || surrogate || value > 0x10ffff) {
        return {};
    }
    return {value, size};
}

bool turns_or_ends_line(char32_t c) {
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

std::string to_utf8(std::u32string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (const char32_t c : text) {
        const unsigned size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        // The first byte begins with as many ones as there are bytes, each other with 10.
        bytes.push_back(static_cast<char>(size == 1 ? c : (0xff00U >> size) | (c >> 6 * (size - 1))));
        for (unsigned k = size - 1; k-- > 0;) {
            bytes.push_back(static_cast<char>(0x80 | ((c >> 6 * k) & 0x3f)));
        }
    }
    return bytes;
}

std::u32string from_utf8(std::string_view bytes) {
    std::u32string text;
    text.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        const CodePoint c = first_code_point(bytes.substr(i));
        if (c.size == 0) {
            throw InputError("the byte at offset " + std::to_string(i) + " (0x" + two_digits(byte_at(bytes, i)) +
                             ") is not UTF-8; give text in UTF-8");
        }
        text.push_back(c.value);
        i += c.size;
    }
    return text;
}

std::string printable(std::string_view bytes) {
    std::string shown;
    for (std::size_t i = 0; i < bytes.size();) {
        const CodePoint c = first_code_point(bytes.substr(i));
        const std::size_t size = c.size == 0 ? 1 : c.size;
        if (c.size == 0 || is_control(c.value) || turns_or_ends_line(c.value)) {
            for (std::size_t k = 0; k < size; ++k) {
                shown += "\\x" + two_digits(byte_at(bytes, i + k));
            }
        } else {
            shown += bytes.substr(i, size);
        }
        i += size;
    }
    return shown;
}

std::string excerpt(std::string_view bytes, std::size_t longest) {
    if (bytes.size() <= longest) {
        return printable(bytes);
    }
    constexpr std::size_t kMostBytes = 4;  // of a character
    std::size_t end = longest;
    for (std::size_t begin = longest; begin > 0 && longest - begin < kMostBytes - 1; --begin) {
        if (first_code_point(bytes.substr(begin - 1)).size > longest - (begin - 1)) {
            end = begin - 1;  // of the character that extends past `longest`
        }
    }
    return printable(bytes.substr(0, end)) + "…";
}

}  // namespace byhand
