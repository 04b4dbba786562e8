// The commands. Each add_… registers one, with its options and the function that runs it.
#pragma once

#include "cli/options.h"

namespace byhand::cli {

void add_compare(const Command& program);
void add_train(const Command& program);
void add_eval(const Command& program);
void add_sample(const Command& program);
void add_mistakes(const Command& program);
void add_gradcheck(const Command& program);
void add_diff(const Command& program);
void add_exercise(const Command& program);
void add_lab(const Command& program);
void add_bench(const Command& program);
void add_explain(const Command& program);
void add_recipes(const Command& program);
void add_completion(const Command& program);

// Descriptions of the separate programs that `byhand lab` and `byhand bench` start, for the list of commands.
inline constexpr const char* kLabAbout = "Run experiments on claims about batch norm";
inline constexpr const char* kBenchAbout = "Time a training step, beside LibTorch's";

}  // namespace byhand::cli
