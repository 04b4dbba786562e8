#include "cli/commands.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "byhand/version.h"
#include "cli/modules.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "fast/simd/targets.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

constexpr const char* kFirstSteps =
    "Begin with:\n"
    "  byhand compare    compare every value and gradient with LibTorch's\n"
    "  byhand exercise   check your own backward pass, function by function\n"
    "  byhand train      train the hand-written network on names\n"
    "  byhand sample     generate new names\n"
    "\n"
    "byhand help lists the commands; byhand help COMMAND lists the options of one.";

constexpr const char* kNoMemory = "not enough memory; use a smaller network, batch or file";

// One line to stderr. Text from outside is escaped, so that it can't control a terminal.
int fail(int code, const std::string& message) {
    constexpr std::size_t kLongest = 4000;  // a file may have names of a million bytes
    say("byhand: {}\n", shortened(message, kLongest));
    return code;
}

// Flushes standard output; an error is reported.
int end(int code) {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        return fail(kBadInput, "standard output could not be written");
    }
    return code;
}

// An unexpected error. LibTorch reports out of memory only as text, followed by a stack trace.
int fail_by(const std::string& error) {
    if (error.find("allocate memory") != std::string::npos) {
        return fail(kBadInput, kNoMemory);
    }
    return fail(kBadInput, "internal error: " + error.substr(0, error.find('\n')));
}

// Prevents the system from ending the program without a message.
void take_precautions() {
    std::signal(SIGXFSZ,
                SIG_IGN);  // a file beyond ulimit -f is an error like a full disk, and leaves no temporary file
    std::signal(SIGCHLD, SIG_DFL);  // if it is ignored, the exit status of a subprocess is lost
    // If a standard stream is closed, the next file opened would take its number and receive what is printed.
    int file = 0;
    do {
        file = ::open("/dev/null", O_RDONLY);  // writing fails, as with the closed stream
    } while (file >= 0 && file <= STDERR_FILENO);
    ::close(file);
}

std::string kernels_text() {
    if constexpr (kHasFast) {
        const std::string target = simd::target_name();
        return "SIMD kernels for " + (target.starts_with("AVX3") ? "AVX-512" : target);
    } else {
        return "no SIMD kernels: built without the module fast";
    }
}

std::string torch_text() {
    try {
        const std::string version = torch_ref::load().version();
        const std::string core = torch_ref::blas_core();
        return fmt::format("LibTorch {}, {}", version,
                           core == "unknown" ? "with a BLAS other than OpenBLAS" : "OpenBLAS kernels for " + core);
    } catch (const InputError& error) {
        return std::string("no LibTorch: ") + error.what();
    }
}

}  // namespace

int run_program(int argc, const char* const* argv, const std::function<void(const Command& program)>& add) {
    take_precautions();
    try {
        Program program("byhand",
                        "A small neural network, forward and backward, written by hand and compared with LibTorch, "
                        "value by value.");
        add(program.root());
        program.root().footer(kFirstSteps);  // after the commands, which would have it as well
        return end(program.run(argc, argv));
    } catch (const InputError& error) {
        return fail(kBadInput, error.what());
    } catch (const std::bad_alloc&) {
        return fail(kBadInput, kNoMemory);
    } catch (const std::exception& error) {
        if (std::ferror(stdout) != 0) {
            return fail(kBadInput, "standard output could not be written");
        }
        return fail_by(error.what());
    }
}

int run_command_program(const char* name, int argc, char** argv, void (*add)(const Command& program)) {
    std::vector<const char*> words(argv, argv + argc);
    words.insert(words.begin() + (words.empty() ? 0 : 1), name);
    return run_program(static_cast<int>(words.size()), words.data(), add);
}

std::string version_text(const std::string& name) {
#ifdef __clang__
    const char* compiler = "clang ";
#else
    const char* compiler = "g++ ";
#endif
    return fmt::format("{} {}\ncompiled by {}{}\n{}\n{}", name, kVersion, compiler, __VERSION__, kernels_text(),
                       torch_text());
}

}  // namespace byhand::cli
