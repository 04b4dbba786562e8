#include "cli/own_functions.h"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

// The command line of this process.
std::vector<std::string> own_words() {
    std::ifstream stream("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(stream, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

// Appends the option that a verdict requires to the user's options of the sanitizer: the last value counts.
void add_option(const char* name, const std::string& needed) {
    // NOLINTBEGIN(concurrency-mt-unsafe): one thread, before exec
    const char* present = std::getenv(name);
    ::setenv(name, (present == nullptr ? needed : std::string(present) + ":" + needed).c_str(), 1);
    // NOLINTEND(concurrency-mt-unsafe)
}

// The path relative to the current folder, if the file is in it.
std::string from_here(const std::string& file) {
    std::error_code error;
    const fs::path here = fs::path(file).lexically_proximate(fs::current_path(error));
    return here.native().starts_with("..") ? file : here.string();
}

}  // namespace

std::string OwnFunctions::path() const {
    return file.empty() ? shipped("exercise/backward.cpp") : file.path;
}

std::string OwnFunctions::shown() const {
    return printable(from_here(path()));
}

bool OwnFunctions::is_library() const {
    return file.path.ends_with(".so");
}

Library::Library(const OwnFunctions& own, exercise::Sanitizer sanitizer, const std::function<void()>& meanwhile) {
    if (own.is_library()) {
        path_ = own.path();
        return;
    }
    folder_ = new_temporary_folder("the library");
    path_ = folder_ / "functions.so";
    if (::isatty(STDERR_FILENO) != 0) {
        say("compiling {} ...\n", own.shown());
    }
    bool is_called = false;
    const auto goes_on = [&] {
        if (!is_called && meanwhile) {
            meanwhile();
        }
        is_called = true;
        return !interrupted();
    };
    try {
        exercise::build(own.path(), path_,
                        {.headers = fs::path(shipped("src/exercise/steps.h")).parent_path().parent_path(),
                         .flags = own.flags,
                         .sanitizer = sanitizer,
                         .goes_on = goes_on});
    } catch (...) {
        remove();
        throw;
    }
}

Library::~Library() {
    remove();
}

void Library::remove() {
    std::error_code error;
    if (!folder_.empty()) {
        fs::remove_all(folder_, error);
        folder_.clear();
    }
    end_if_interrupted();
}

void Library::is_open() {
    remove();
    signals_.restore();
}

std::string place_of(const std::string& label, const std::string& file) {
    constexpr std::string_view kInOne = "_in_one";
    const bool in_one = label.ends_with(kInOne);
    const std::string added =
        in_one ? "add_in_one(\"" + label.substr(0, label.size() - kInOne.size()) + "\"," : "add(\"" + label + "\",";
    const std::string shown = from_here(file);
    std::string place = shown;
    std::ifstream stream(file);
    std::size_t number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (line.find("void " + label + "(") != std::string::npos) {
            return fmt::format("{}:{}", shown, number);
        }
        if (place == shown && line.find(added) != std::string::npos) {
            place = fmt::format("{}:{}", shown, number);
        }
    }
    return place;
}

int run_again_sanitized(const Library& library, exercise::Sanitizer sanitizer) {
    const std::string preloaded = exercise::run_time_of(sanitizer);
    std::vector<std::string> words = own_words();
    words.insert(words.end(), {"--built", library.path()});
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    std::fflush(nullptr);  // otherwise both processes would write the buffers
    const pid_t self = ::getpid(), child = ::fork();
    if (child < 0) {
        throw InputError("can't create a process to run your functions in: " + reason());
    }
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != self) {  // the parent has ended
            ::_exit(kBadInput);
        }
        library.signals().restore();
        ::setenv("LD_PRELOAD", preloaded.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): as above
        add_option("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1");
        add_option("UBSAN_OPTIONS", "abort_on_error=1");
        // Only races in the library: the sanitizer can't judge code that was built without it. Subprocesses start
        // threads.
        add_option("TSAN_OPTIONS",
                   "halt_on_error=1:abort_on_error=1:die_after_fork=0:ignore_noninstrumented_modules=1");
        ::execv("/proc/self/exe", arguments.data());
        say("byhand: can't start byhand again: {}\n", reason());
        ::_exit(kBadInput);
    }
    const Ended ended = wait_for(child, [] { return !interrupted(); });
    if (ended.signal && !interrupted()) {
        const char* signal = ::strsignal(*ended.signal);  // NOLINT(concurrency-mt-unsafe): as above
        throw InputError(fmt::format("{} ended the run ({}) outside of every function", signal, *ended.signal));
    }
    return ended.exit_code;
}

}  // namespace byhand::cli
