// The subcommands. Each add_… registers one: its options and what runs when it is chosen, which sets `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

namespace byhand::cli {

// What the program returns (0 fine; 1 no agreement or not finite; 2 bad usage or input; 130 interrupted).
enum ExitCode : int { kFine = 0, kDisagrees = 1, kBadInput = 2, kInterrupted = 130 };

void add_compare(CLI::App& app, int& exit_code);
void add_train(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_sample(CLI::App& app, int& exit_code);
void add_mistakes(CLI::App& app, int& exit_code);
void add_gradcheck(CLI::App& app, int& exit_code);
void add_diff(CLI::App& app, int& exit_code);
void add_exercise(CLI::App& app, int& exit_code);
void add_lab(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_recipes(CLI::App& app, int& exit_code);

}  // namespace byhand::cli
