#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "base/error.h"
#include "cli/collisions.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/shortened.h"
#include "cli/unexpected.h"

namespace {

using namespace byhand::cli;

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

// Of every command: once its words are read and before it begins.
void check_files(CLI::App& app) {
    for (CLI::App* command : app.get_subcommands({})) {
        command->parse_complete_callback([command] { refuse_collisions(*command); });
        check_files(*command);
    }
}

int run(int argc, char** argv) {
    CLI::App app{
        "A small neural network, forward and backward, written by hand and held against LibTorch, value by value.",
        "byhand"};
    app.set_version_flag("--version", "byhand " BYHAND_VERSION);
    app.require_subcommand(0, 1);  // so that a word that is none is named
    app.footer(
        "Begin with:\n"
        "  byhand compare          every value and gradient of one training step, beside LibTorch's\n"
        "  byhand train            learn names with the hand-written network\n"
        "  byhand sample           let it write new ones");
    int exit_code = kFine;
    add_compare(app, exit_code);
    add_mistakes(app, exit_code);
    add_train(app, exit_code);
    add_eval(app, exit_code);
    add_sample(app, exit_code);
    add_gradcheck(app, exit_code);
    add_exercise(app, exit_code);
    add_lab(app, exit_code);
    add_bench(app, exit_code);
    add_explain(app, exit_code);
    add_diff(app, exit_code);
    add_recipes(app, exit_code);
    check_files(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        return fail(kBadInput, unexpected(app));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app.exit(error);  // --help, --version
            return end(kFine);
        }
        return fail(kBadInput,
                    std::string(error.what()) + "; byhand --help, or byhand COMMAND --help, lists what there is");
    }
    if (app.get_subcommands().empty()) {
        return fail(kBadInput, "a command is missing; byhand --help lists them");
    }
    return end(exit_code);
}

}  // namespace

int main(int argc, char** argv) {
    take_precautions();
    try {
        return run(argc, argv);
    } catch (const byhand::InputError& error) {
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
