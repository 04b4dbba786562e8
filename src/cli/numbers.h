// Numbers and names on the command line: no sign that wraps round, nothing left out.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace byhand::cli {

// Accepts a whole number from `least` to `most`.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

// Accepts a finite number from `least` to `most`.
CLI::Validator number_between(double least, double most);

// Accepts what is not empty.
CLI::Validator some_text();

// "100" or "100,50,7". Throws InputError, naming the option, for anything else.
std::vector<std::size_t> whole_numbers(const std::string& text, const std::string& option);

}  // namespace byhand::cli
