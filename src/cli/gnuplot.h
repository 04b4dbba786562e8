// Plots by gnuplot, a separate program.
#pragma once

#include <optional>
#include <string>

namespace byhand::cli {

// The output of gnuplot for these commands, without the user's settings; none if it is not installed. Throws InputError
// with its error message if it fails.
std::optional<std::string> gnuplot(const std::string& commands);

}  // namespace byhand::cli
