#include "cli/shell_words.h"

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

}  // namespace byhand::cli
