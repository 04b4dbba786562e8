// The common main of byhand, byhand-lab and byhand-bench.
#pragma once

#include <functional>
#include <string>

#include "cli/options.h"

namespace byhand::cli {

// The body of main: the program "byhand" with the commands that `add` registers. Returns the exit code; an error is one
// line on standard error.
int run_program(int argc, const char* const* argv, const std::function<void(const Command& program)>& add);

// The body of main of a program that is the command `name` of byhand: `byhand-lab columns` is `byhand lab columns`.
int run_command_program(const char* name, int argc, char** argv, void (*add)(const Command& program));

// ---- What byhand --version prints ----

// The version, and what a bug report needs: compiler, vectors, and LibTorch with its BLAS, if its module can be loaded.
std::string version_text(const std::string& name);

}  // namespace byhand::cli
