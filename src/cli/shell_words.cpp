#include "cli/shell_words.h"

#include <fmt/core.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand::cli {

std::string quoted(const std::string& word) {
    constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/,=:+@%";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
        return word;
    }
    // In $'…' a backslash begins an escape; in '…' it is an ordinary character.
    const bool escapes = printable(word) != word;
    std::string text;
    for (const char c : word) {
        if (c == '\'' || (escapes && c == '\\')) {
            text += escapes ? "\\" + std::string(1, c) : "'\\''";
        } else {
            text += c;
        }
    }
    return escapes ? "$'" + printable(text) + "'" : "'" + text + "'";
}

bool matches(const std::string& pattern, const std::string& name) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::vector<std::string> distinct(const std::vector<std::string>& words) {
    std::vector<std::string> some;
    std::ranges::copy_if(words, std::back_inserter(some),
                         [&](const std::string& word) { return std::ranges::count(some, word) == 0; });
    return some;
}

std::string shortened(std::string_view message, std::size_t longest) {
    if (message.size() <= longest) {
        return printable(message);
    }
    const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
    const std::size_t tail = longest / 4;
    std::size_t end = message.size() - tail;
    while (end < message.size() && continues(message[end])) {
        ++end;
    }
    return excerpt(message.substr(0, end), longest - tail) + printable(message.substr(end));
}

std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') {
        return std::nullopt;  // CLI11 would read the rest as octal
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::vector<std::size_t> whole_numbers(const std::string& text, const std::string& option) {
    std::vector<std::size_t> numbers;
    std::string_view left = text;
    while (true) {
        const std::size_t comma = left.find(',');
        const std::optional<std::uint64_t> value = parse_whole_number(left.substr(0, comma));
        if (!value) {
            throw InputError(
                fmt::format("{}: expected whole numbers separated by commas, as 100 or 100,50, not {}", option, text));
        }
        numbers.push_back(*value);
        if (comma == std::string_view::npos) {
            return numbers;
        }
        left.remove_prefix(comma + 1);
    }
}

}  // namespace byhand::cli
