#include "cli/own_functions.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/ranks.h"
#include "cli/say.h"
#include "foreign/exercise/build.h"
#include "foreign/exercise/examine.h"
#include "foreign/exercise/functions.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestCode = 200;  // bytes

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

// The functions that byhand exercise --quick calls wrong, without those left out. Empty if they can't be judged,
// because LibTorch is missing or memory is short.
std::vector<std::string> wrong_functions(const exercise::ExternalFunctions& functions, const Run& run,
                                         bool with_in_one) {
    std::vector<std::string> wrong;
    try {
        check_memory(run.recipe.network, run.recipe.batch, kBytesOfExercise);
        const Examination examination =
            exercise::examine(functions, torch_ref::load(), run, {.limits = {}, .quick = true}, {});
        for (const Attempt& attempt : examination.attempts) {
            if (attempt.standing == Standing::wrong && (with_in_one || !attempt.in_one)) {
                wrong.push_back(printable(attempt.value.name) + (attempt.in_one ? "_in_one" : ""));
            }
        }
    } catch (const InputError&) {  // NOLINT(bugprone-empty-catch)
    }
    return wrong;
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
    folder_.emplace("the library");
    path_ = folder_->path() / "functions.so";
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
                        {.headers = fs::path(shipped("include/exercise/steps.h")).parent_path().parent_path(),
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
    folder_.reset();
    end_if_interrupted();
}

void Library::is_open() {
    remove();
    signals_.restore();
}

SourceLine source_of_own(const std::string& label, const std::string& file) {
    constexpr std::string_view kInOne = "_in_one";
    const bool in_one = label.ends_with(kInOne);
    const std::string added =
        in_one ? "add_in_one(\"" + label.substr(0, label.size() - kInOne.size()) + "\"," : "add(\"" + label + "\",";
    std::vector<std::string> lines;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    const auto line_with = [&](const std::string& text) {
        return std::ranges::find_if(lines,
                                    [&](const std::string& line) { return line.find(text) != std::string::npos; });
    };
    const auto place = [&](auto line) { return fmt::format("{}:{}", from_here(file), line - lines.begin() + 1); };
    const auto addition = line_with(added);
    std::string function = label;
    if (addition != lines.end()) {  // add("dh.2", dh_2<T>)
        const std::size_t begin = addition->find_first_not_of(' ', addition->find(added) + added.size());
        const std::size_t end = addition->find_first_of("<) ", begin);
        function = begin == std::string::npos ? label : addition->substr(begin, end - begin);
    }
    const auto definition = line_with("void " + function + "(");
    if (definition == lines.end()) {
        return {addition != lines.end() ? place(addition) : from_here(file), ""};
    }
    // Where a statement assigns to `out`, as "out(j) += sum;": its first character.
    const auto assignment = [](const std::string& line) {
        const std::size_t out = line.find("out"), at = out == std::string::npos ? out : line.find('=', out);
        const std::size_t before =
            out == std::string::npos || out == 0 ? std::string::npos : line.find_last_not_of(' ', out - 1);
        const bool begins =
            before == std::string::npos || std::string_view("{});").find(line[before]) != std::string_view::npos;
        return at != std::string::npos && begins && line[at + 1] != '=' ? out : std::string::npos;
    };
    std::string code;
    const auto end = std::find(definition, lines.end(), "}");
    for (const std::string& line : std::ranges::subrange(definition + 1, end)) {
        if (const std::size_t begin = assignment(line); begin != std::string::npos) {
            code += (code.empty() ? "" : " … ") + line.substr(begin);
        }
    }
    return {place(definition), "", "", excerpt(code, kLongestCode)};
}

int run_again_sanitized(const Library& library, exercise::Sanitizer sanitizer) {
    const std::string preloaded = exercise::run_time_of(sanitizer);
    std::vector<std::string> words = command_line();
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
        const std::string log = "log_path=" + exercise::sanitizer_log(library.path()) + ":";
        add_option("ASAN_OPTIONS", log + "detect_leaks=0:abort_on_error=1");
        add_option("UBSAN_OPTIONS", log + "abort_on_error=1:print_stacktrace=1");
        // Only races in the library: the sanitizer can't judge code that was built without it. Subprocesses start
        // threads.
        add_option("TSAN_OPTIONS",
                   log + "halt_on_error=1:abort_on_error=1:die_after_fork=0:ignore_noninstrumented_modules=1");
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

std::unique_ptr<Trainable> own_model_of(const OwnFunctions& own, const Run& run) {
    const Library library(own, exercise::Sanitizer::none);  // its file is not needed once it is loaded
    const exercise::ExternalFunctions functions = exercise::load(library.path(), own.path());
    std::unique_ptr<Trainable> model = exercise::own_model(functions, run);
    const std::vector<std::string> left_out = exercise::left_out_of_training(functions);
    for (const std::string& label : left_out) {
        say("{} is left out: the functions of the small steps are used\n", printable(label));
    }
    if (const std::vector<std::string> wrong = wrong_functions(functions, run, left_out.empty()); !wrong.empty()) {
        say("warning: {} {} wrong, and training goes on with {}; byhand exercise {} says what is\n",
            fmt::join(wrong, ", "), wrong.size() == 1 ? "is" : "are", wrong.size() == 1 ? "it" : "them",
            printable(own.shown()));
    }
    return model;
}

}  // namespace byhand::cli
