// The commands, and the common main of byhand, byhand-lab and byhand-bench.
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

// What byhand --version prints: the version, and what a bug report needs: compiler, vectors, and LibTorch with its
// BLAS, if its module can be loaded.
std::string version_text(const std::string& name);

// ---- Each registers a command, with its options and the function that runs it ----

void add_compare(const Command& program);
void add_train(const Command& program);
void add_eval(const Command& program);
void add_sample(const Command& program);
void add_mistakes(const Command& program);
void add_gradcheck(const Command& program);
void add_diff(const Command& program);
void add_trace(const Command& program);
void add_exercise(const Command& program);
void add_lab(const Command& program);
void add_bench(const Command& program);
void add_explain(const Command& program);
void add_recipes(const Command& program);
void add_completion(const Command& program);

// Descriptions of commands that belong to modules, for the list of commands.
inline constexpr const char* kMistakesAbout = "List the mistakes that can be planted, or score them all";
inline constexpr const char* kGradcheckAbout =
    "Check every gradient against finite differences of the loss, in double, without LibTorch";
inline constexpr const char* kDiffAbout = "Compare two files of tensors (dumps, models) by name";
inline constexpr const char* kTraceAbout =
    "Judge every step of a network of any program by LibTorch, from a dump of its tensors";
inline constexpr const char* kExerciseAbout =
    "Check your own backward pass in exercise/backward.cpp, function by function";
inline constexpr const char* kLabAbout = "Run experiments on claims about batch norm";
inline constexpr const char* kBenchAbout = "Time a training step, beside LibTorch's";

}  // namespace byhand::cli
