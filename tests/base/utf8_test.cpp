#include "base/utf8.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/message_of.h"

namespace byhand {
namespace {

std::string refusal(std::string_view bytes) {
    return test::message_of([&] { from_utf8(bytes); });
}

TEST_CASE("utf8: one to four bytes convert to code points and back") {
    // The first and last code point of each length, and the neighbours of the surrogates.
    const std::u32string text = U"\u0001a\u007f\u0080é\u07ff\u0800名\ud7ff\ue000\uffff\U00010000😀\U0010ffff";
    const std::string bytes = to_utf8(text);
    CHECK(bytes ==
          "\x01"
          "a\x7f\xc2\x80\xc3\xa9\xdf\xbf\xe0\xa0\x80\xe5\x90\x8d\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"
          "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
    CHECK(from_utf8(bytes) == text);
    CHECK(from_utf8("").empty());
    CHECK(to_utf8(U"").empty());
    CHECK(from_utf8(std::string_view("a\0b", 3)) == std::u32string(U"a\0b", 3));
}

TEST_CASE("utf8: direction and line controls are escaped like terminal controls") {
    CHECK(printable("a\u202eb\u2028c\u2029") == R"(a\xe2\x80\xaeb\xe2\x80\xa8c\xe2\x80\xa9)");
    for (const char32_t c : U"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069\u001b\u009b") {
        CHECK(printable(to_utf8({&c, 1})).starts_with("\\x"));
    }
    for (const std::string text : {"é", "名", "\u200d", "\u2027", "\u202f", "\u2065", "\u206a", "😀"}) {
        CHECK(printable(text) == text);
    }
}

TEST_CASE("utf8: every code point except surrogates round-trips") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        if (c < 0xd800 || c > 0xdfff) {
            const std::string bytes = to_utf8({&c, 1});
            const CodePoint back = first_code_point(bytes);
            wrong += back.value == c && back.size == bytes.size() ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: invalid bytes are refused, with their offset") {
    // Overlong forms, surrogates, above U+10FFFF, a lone continuation, a lone lead, no lead at all.
    for (const std::string_view bad : {"\xc0\x80",
                                       "\xc1\xbf",
                                       "\xe0\x80\x80",
                                       "\xe0\x9f\xbf",
                                       "\xf0\x80\x80\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xed\xa0\x80",
                                       "\xed\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xf8\x90\x80\x80",
                                       "\xff\x90\x80\x80",
                                       "\xf8\x88\x80\x80\x80",
                                       "\x80",
                                       "\xbf",
                                       "\xc3",
                                       "\xe5\x90",
                                       "\xf0\x9f\x98",
                                       "\xc3\x28",
                                       "\xe5\x28\x8d",
                                       "\xe5\x90\x28",
                                       "\xf0\x9f\x98\x28",
                                       "\xfe",
                                       "\xff"}) {
        CAPTURE(printable(bad));
        CHECK(first_code_point(bad).size == 0);
        CHECK(refusal("é" + std::string(bad) + "z").starts_with("the byte at offset 2 (0x"));
    }
    CHECK(refusal("ab\xff") == "the byte at offset 2 (0xff) is not UTF-8; give text in UTF-8");
    CHECK(first_code_point("").size == 0);
    CHECK(first_code_point(std::string_view("\xc3\xa9").substr(0, 1)).size == 0);  // its end is beyond the view
}

TEST_CASE("utf8: control characters are C0, DEL and C1") {
    for (const char32_t c : {0x00, 0x09, 0x0a, 0x1f, 0x7f, 0x80, 0x85, 0x9f}) {
        CHECK(is_control(c));
    }
    for (const char32_t c : {0x20, 0x7e, 0xa0, 0xe9, 0x2028}) {
        CHECK_FALSE(is_control(c));
    }
}

TEST_CASE("utf8: messages show control bytes and stray bytes as \\x1b") {
    CHECK(printable("names.txt") == "names.txt");
    CHECK(printable("é/名") == "é/名");
    CHECK(printable("a\x1b[31m\nb\x7f") == "a\\x1b[31m\\x0ab\\x7f");
    CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");  // CSI, as one code point
    CHECK(printable("\x9b\xff") == "\\x9b\\xff");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("utf8: an excerpt is cut between characters, and marks the omission") {
    CHECK(excerpt("emma", 4) == "emma");
    CHECK(excerpt("emmas", 4) == "emma…");
    CHECK(excerpt("aé€😀b", 11) == "aé€😀b");
    CHECK(excerpt("aé€😀b", 10) == "aé€😀…");
    for (const std::size_t within : {6, 7, 8, 9}) {
        CHECK(excerpt("aé€😀b", within) == "aé€…");
    }
    CHECK(excerpt("aé€😀b", 5) == "aé…");
    CHECK(excerpt("aé€😀b", 2) == "a…");
    CHECK(excerpt("é", 0) == "…");
    CHECK(excerpt("\x1b\xff\xff", 2) == "\\x1b\\xff…");
}

}  // namespace
}  // namespace byhand
