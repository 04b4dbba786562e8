// Words on the command line that nobody asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace byhand::cli {

// The first word that neither `app` nor its command could take, and what was probably meant, for people. Precondition:
// parsing `app` threw CLI::ExtrasError.
std::string unexpected(const CLI::App& app);

}  // namespace byhand::cli
