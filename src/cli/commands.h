// The commands. Each add_… registers one: its options, and what runs when it is chosen.
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

// Of programs of their own, which `byhand lab` and `byhand bench` start: one line for the list of commands.
inline constexpr const char* kLabAbout = "Experiments: what the five notes claim of batch norm, shown with figures";
inline constexpr const char* kBenchAbout = "How fast a training step is, beside LibTorch's";

}  // namespace byhand::cli
