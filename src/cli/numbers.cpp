#include "cli/numbers.h"

#include <fmt/core.h>

#include <charconv>

#include "base/error.h"

namespace byhand::cli {

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
