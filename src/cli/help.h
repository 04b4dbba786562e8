// The help of a command at 80 columns.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace byhand::cli {

// For the command and those that are added to it later.
void wrap_help(CLI::App& command);

// What the program prints without a command: what it is, and its footer.
std::string introduction(const CLI::App& program);

}  // namespace byhand::cli
