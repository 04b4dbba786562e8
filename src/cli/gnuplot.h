// Pictures by gnuplot, which is a program of its own.
#pragma once

#include <optional>
#include <string>

namespace byhand::cli {

// What gnuplot writes when it is given these commands, and no settings of the user's. Nothing where it is not
// installed. Throws InputError with its own words where it fails.
std::optional<std::string> gnuplot(const std::string& commands);

}  // namespace byhand::cli
