// Starts the ranks of one machine.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace byhand::distributed {

// Runs this program with these words once for each rank, which meet in the folder: their process ids. Throws InputError
// if the system refuses a process, or has no room there.
std::vector<pid_t> start_ranks(std::size_t ranks, const std::vector<std::string>& words,
                               const std::filesystem::path& folder);

struct WaitConfig {
    std::function<bool()> interrupted;  // whether to end them all, by SIGTERM
    // Called for the first that ends with an error: "was ended by signal 9 (Killed)".
    std::function<void(std::size_t rank, int code, const std::string& how)> failed;
};

struct RanksEnded {
    int code = 0;          // the first exit code that is not 0
    std::size_t lost = 0;  // ranks that a signal has ended, or that did not end by themselves
};

// Waits for these ranks. If one ends with an error, the others are ended after a while.
RanksEnded wait_for_ranks(std::vector<pid_t> children, const WaitConfig& how_to);

}  // namespace byhand::distributed
