#include "cli/run_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/exit_code.h"
#include "cli/say.h"
#include "cli/shortened.h"

namespace byhand::cli {
namespace {

constexpr const char* kNoMemory = "there is not enough memory for this; a smaller network, batch or file needs less";

// One line to stderr. What came from outside is shown so that it can't steer a terminal.
int fail(int code, const std::string& message) {
    constexpr std::size_t kLongest = 4000;  // a file may have names of a million bytes
    say("byhand: {}\n", shortened(message, kLongest));
    return code;
}

// What was printed is on its way to the reader, or it is told.
int end(int code) {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        return fail(kBadInput, "standard output could not be written");
    }
    return code;
}

// Of an error that nobody foresaw: LibTorch says in words alone that there is no memory, and follows up with a stack.
int fail_by(const std::string& error) {
    if (error.find("allocate memory") != std::string::npos) {
        return fail(kBadInput, kNoMemory);
    }
    return fail(kBadInput, "internal error: " + error.substr(0, error.find('\n')));
}

// What the system would do to the program, or have it do, before it could say a word.
void take_precautions() {
    std::signal(SIGXFSZ, SIG_IGN);  // a file beyond ulimit -f is an error like a full disk, and no end with litter
    std::signal(SIGCHLD, SIG_DFL);  // where it was ignored, nobody would be told how a process ended
    // Of streams that are closed the next file opened would take the number, and then what is printed.
    int file = 0;
    do {
        file = ::open("/dev/null", O_RDONLY);  // not to be written to, as they were not
    } while (file >= 0 && file <= STDERR_FILENO);
    ::close(file);
}

}  // namespace

int run_program(int argc, const char* const* argv, const std::function<void(const Command& program)>& add) {
    take_precautions();
    try {
        Program program(
            "byhand",
            "A small neural network, forward and backward, written by hand and held against LibTorch, value by value.");
        program.root().footer(
            "Begin with:\n"
            "  byhand compare          every value and gradient of one training step, beside LibTorch's\n"
            "  byhand train            learn names with the hand-written network\n"
            "  byhand sample           let it write new ones");
        add(program.root());
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

}  // namespace byhand::cli
