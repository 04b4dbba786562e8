// A run by the options of the program's commands: {"--recipe", "notes", "--hidden", "7"}.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "cli/network_options.h"
#include "cli/options.h"

namespace byhand::test {

using Arguments = std::vector<std::string>;

inline Run run_with(const Arguments& options) {
    cli::Program program("test", "");
    cli::NetworkOptions network;
    cli::add_network_options(program.root(), network);
    Run run;
    program.root().on_run([&] {
        run = cli::run_of(network);
        return 0;
    });
    std::vector<const char*> words = {"test"};
    for (const std::string& option : options) {
        words.push_back(option.c_str());
    }
    if (program.run(static_cast<int>(words.size()), words.data()) != 0) {
        throw std::logic_error("options of a network");
    }
    return run;
}

}  // namespace byhand::test
