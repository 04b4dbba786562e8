// Other programs, run to their end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand::cli {

struct ProgramRun {
    int exit_code = 0;  // or 128 + the signal that ended it
    std::string out, err;
};

// Runs a program, by its path or by its name on the PATH, with `in` as its standard input. Nothing where there is no
// such program. Throws InputError where the system has no room for it.
std::optional<ProgramRun> run_program(const std::string& program, const std::vector<std::string>& arguments,
                                      std::string_view in = {});

}  // namespace byhand::cli
