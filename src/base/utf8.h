// UTF-8 to code points and back, and escaping for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byhand {

// One code point and its number of bytes; size 0: the bytes do not begin with UTF-8.
struct CodePoint {
    char32_t value = 0;
    std::size_t size = 0;
};

// The same as first_code_point. Precondition: `bytes` do not begin with an ASCII character.
CodePoint first_beyond_ascii(std::string_view bytes);

// The code point that `bytes` begin with. Overlong forms, surrogates and values above U+10FFFF are not UTF-8.
inline CodePoint first_code_point(std::string_view bytes) {
    const unsigned char first = bytes.empty() ? 0x80 : static_cast<unsigned char>(bytes.front());
    return first < 0x80 ? CodePoint{first, 1} : first_beyond_ascii(bytes);
}

// C0, DEL and C1.
constexpr bool is_control(char32_t character) {
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

// Whether it changes the text direction (Unicode's Bidi_Control) or ends the line (U+2028, U+2029).
bool turns_or_ends_line(char32_t c);

// Precondition: each is at most U+10FFFF and no surrogate.
std::string to_utf8(std::u32string_view text);

// Throws InputError where the bytes are not UTF-8; its message names the offset of the byte, from 0.
std::u32string from_utf8(std::string_view bytes);

// The bytes with every byte of a control character, and every byte that is not UTF-8, written as \x1b, so that a
// message stays one line without terminal control sequences. Characters of turns_or_ends_line are escaped too.
std::string printable(std::string_view bytes);

// The same for at most this many bytes, followed by "…" if shortened. No character is cut in two.
std::string excerpt(std::string_view bytes, std::size_t longest);

}  // namespace byhand
