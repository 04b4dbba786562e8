// Running a command again whenever a file is saved.
#pragma once

#include <string>
#include <vector>

namespace byhand::cli {

// Runs this program with these words (words[0] is ignored), and again on every change of the file, until a signal
// arrives. Clears a terminal before each run. Returns the exit code of an interrupted program.
int run_on_every_save(const std::string& file, std::vector<std::string> words);

}  // namespace byhand::cli
