#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/process.h"
#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/own_functions.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

// What changes when a file is saved. A missing file has the same value at all times.
using Stamp = std::pair<fs::file_time_type, std::uintmax_t>;

Stamp stamp_of(const std::string& file) {
    std::error_code error;
    return {fs::last_write_time(file, error), fs::file_size(file, error)};
}

}  // namespace

int run_on_every_save(const std::string& file, std::vector<std::string> words) {
    constexpr auto kPause = std::chrono::milliseconds(100);
    constexpr const char* kClear = "\x1b[H\x1b[2J\x1b[3J";  // also what has scrolled away
    const InterruptWatch watch;
    const auto goes_on = [] { return !interrupted(); };
    std::error_code error;
    words.front() = fs::read_symlink("/proc/self/exe", error);
    while (goes_on()) {
        const Stamp judged = stamp_of(file);  // before the run, so that a change during it is not missed
        if (::isatty(STDOUT_FILENO) != 0) {
            std::fputs(kClear, stdout);
            std::fflush(stdout);
        }
        run_program(words, {}, goes_on);
        if (goes_on()) {
            say("waiting for {} to be saved; Ctrl-C ends\n", printable(file));
        }
        while (goes_on() && (stamp_of(file) == judged || !fs::exists(file, error))) {
            std::this_thread::sleep_for(kPause);
        }
    }
    return interrupted_exit_code();
}

}  // namespace byhand::cli
