// Whole numbers on the command line: no sign that wraps round, no octal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand::cli {

// The number, or nothing for any other text; leading zeros are refused.
std::optional<std::uint64_t> parse_whole_number(std::string_view text);

// "100" or "100,50,7". Throws InputError, naming the option, for anything else.
std::vector<std::size_t> whole_numbers(const std::string& text, const std::string& option);

}  // namespace byhand::cli
