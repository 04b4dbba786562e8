// Whole numbers on the command line: no negative numbers that wrap around, no octal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand::cli {

// The number; none for any other text, leading zeros included.
std::optional<std::uint64_t> parse_whole_number(std::string_view text);

// "100" or "100,50,7". Throws InputError, naming the option, for anything else.
std::vector<std::size_t> whole_numbers(const std::string& text, const std::string& option);

}  // namespace byhand::cli
