// Words of a command line: quoting, shortening, whole numbers, patterns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand::cli {

// The word, quoted for a shell if needed. Control characters and bytes that are not UTF-8 are escaped as in $'\x1b'.
std::string quoted(const std::string& word);

// Whether the name matches the shell's pattern: "dW*".
bool matches(const std::string& pattern, const std::string& name);

// The words without repeated ones.
std::vector<std::string> distinct(const std::vector<std::string>& words);

// ---- Messages that contain text of any length from a file ----

// The message, made printable. If it has more than `longest` bytes the middle is left out ("…"), since the beginning
// states the subject and the end what to do. Characters are not split. Precondition: `longest` is at least 20.
std::string shortened(std::string_view message, std::size_t longest);

// ---- Whole numbers on the command line: no negative numbers that wrap around, no octal ----

// The number; none for any other text, leading zeros included.
std::optional<std::uint64_t> parse_whole_number(std::string_view text);

// "100" or "100,50,7". Throws InputError, naming the option, for anything else.
std::vector<std::size_t> whole_numbers(const std::string& text, const std::string& option);

}  // namespace byhand::cli
