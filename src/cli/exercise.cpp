#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/examine.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/hint.h"
#include "cli/memory.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "exercise/load.h"
#include "harness/report.h"
#include "harness/subprocess.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

struct ExerciseOptions {
    NetworkOptions network;
    OwnFunctions own;
    std::string sanitize;  // "address" or "thread"; empty for none
    std::string built;     // what `own` was built into by a run of this command that runs this one
    bool threads = false;
    std::string hint;
    bool quick = false;
    double timeout = 10;  // seconds
    std::string format = "table";
    OutputPath output;
};

// Which file is judged; where none is named, also the one in this folder that may be meant.
std::string heading(const OwnFunctions& own) {
    std::string text = "judged: " + own.shown();
    for (const char* here : {"backward.cpp", "exercise/backward.cpp"}) {
        if (own.file.empty() && std::filesystem::exists(here) && !same_file(here, own.path())) {
            text += fmt::format(", as no FILE is named; byhand exercise {} judges the one in this folder", here);
            break;
        }
    }
    return text + "\n";
}

std::string report_of(const ExerciseOptions& options, const Examination& examination, const Presentation& how) {
    if (options.format == "json") {
        return exercise_json(examination, how);
    }
    if (options.format == "junit") {
        return exercise_junit(examination, how);
    }
    return heading(options.own) + blame(examination.step, how) + exercise_table(examination, how.colour);
}

// How far it is, on a terminal only; what a function prints begins a line of its own.
Examination examine_aloud(const exercise::Functions& steps, const torch_ref::Factory& torch, const Run& run,
                          const ExaminationConfig& config) {
    if (::isatty(STDERR_FILENO) == 0) {
        return examine(steps, torch, run, config, {});
    }
    Progress progress(steps.in_float().size(), std::nullopt, "judging", "function");
    std::size_t judged = 0;
    bool in_chain = false;
    Watch watch;
    watch.begins = [&] { progress.step(judged++); };
    watch.chains = [&] {
        in_chain = true;
        progress.finish();
        say("comparing the chain ...");
    };
    watch.running = [&](const std::string&) {
        if (!in_chain) {
            progress.finish();
        }
    };
    const Examination examination = examine(steps, torch, run, config, watch);
    progress.finish();
    return examination;
}

SubprocessLimits limits_of(const ExerciseOptions& options) {
    return {.timeout = std::chrono::milliseconds(std::llround(1000 * options.timeout)),
            .goes_on = [] { return !interrupted(); },
            .advice = options.sanitize.empty() ? "; byhand exercise --sanitize address shows the line" : "; see above"};
}

// While it lives, nothing goes to standard output.
class SilentOutput {
public:
    SilentOutput() : before_(::dup(STDOUT_FILENO)) {
        const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        ::dup2(nowhere.number(), STDOUT_FILENO);
    }
    SilentOutput(const SilentOutput&) = delete;
    SilentOutput& operator=(const SilentOutput&) = delete;
    ~SilentOutput() {
        std::fflush(stdout);
        ::dup2(before_.number(), STDOUT_FILENO);
    }

private:
    Descriptor before_;
};

// To open a library runs code of it, which may do anything too: in a subprocess first.
exercise::Functions load(const ExerciseOptions& options, Library& library) {
    const std::string file = options.own.path();
    const SubprocessEnd end = run_in_subprocess(limits_of(options), [&](Journal&) {
        try {
            exercise::load(library.path(), file);
        } catch (const InputError&) {
            return;  // this process meets it as well
        }
    });
    if (!end.fault.empty()) {
        throw InputError(fmt::format("{} {} while it is loaded", file, end.fault));
    }
    const SilentOutput silent;
    exercise::Functions steps = exercise::load(library.path(), file);
    library.is_open();
    end_subprocess_on_signals();
    // What the library has to do at the end of the program must not change how it ends.
    ::on_exit(
        [](int code, void*) {
            std::fflush(nullptr);
            ::_exit(code);
        },
        nullptr);
    return steps;
}

int examine_and_report(const ExerciseOptions& options, Library& library, const std::optional<TextFile>& output) {
    const exercise::Functions steps = load(options, library);
    const Run run = run_of(options.network);
    const torch_ref::Factory& torch = torch_ref::load();
    Examination examination = examine_aloud(steps, torch, run,
                                            {.limits = limits_of(options),
                                             .threads = options.threads || options.sanitize == "thread",
                                             .quick = options.quick});
    examination.file = options.own.shown();

    Presentation how;
    how.recipe = run.recipe.name;
    how.torch_version = torch.version();
    how.network = run.recipe.network;
    how.whose = Whose::yours;
    how.characters = printable_characters(run.vocabulary);
    how.source = [&](const std::string& function) { return SourceLine{place_of(function, options.own.path()), ""}; };
    how.shows = [&](const std::string& name) {
        const auto makes_it = [&](const Attempt& attempt) { return attempt.alone.makes == name; };
        return std::ranges::any_of(examination.attempts, makes_it);
    };
    how.colour = !output && wants_colour(STDOUT_FILENO);
    const std::string text = report_of(options, examination, how);
    if (output) {
        output->write(text);
    } else {
        fmt::print("{}", text);
    }
    say_if_quick(options.quick);
    return all_right(examination) ? kFine : kDisagrees;
}

int exercise(const ExerciseOptions& options) {
    if (!options.hint.empty()) {
        const Recipe recipe = recipe_of(options.network);
        NetworkConfig network = recipe.network;
        network.vocabulary = std::max<std::size_t>(network.vocabulary, 2);
        fmt::print("{}", hint(options.hint, network, recipe.batch));
        return kFine;
    }
    const Recipe recipe = recipe_of(options.network);
    check_memory(recipe.network, recipe.batch, kBytesOfExercise);
    std::optional<TextFile> output;
    if (!options.output.empty()) {
        output.emplace(options.output);
    }
    if (!options.built.empty()) {
        Library built({options.built, {}}, exercise::Sanitizer::none);
        return examine_and_report(options, built, output);
    }
    for (const auto& [given, flag] :
         {std::pair{!options.sanitize.empty(), "--sanitize"}, {!options.own.flags.empty(), "--flags"}}) {
        if (given && options.own.is_library()) {
            throw InputError(fmt::format("{} is built already: {} is for a source", options.own.file.path, flag));
        }
    }
    using exercise::Sanitizer;
    const Sanitizer sanitizer = options.sanitize.empty()       ? Sanitizer::none
                                : options.sanitize == "thread" ? Sanitizer::thread
                                                               : Sanitizer::address;
    Library library(options.own, sanitizer);
    return sanitizer == Sanitizer::none ? examine_and_report(options, library, output)
                                        : run_again_sanitized(library, sanitizer);
}

}  // namespace

void add_exercise(const Command& program) {
    const Command command = program.add_command(
        "exercise", "Judge the backward pass that you write in exercise/backward.cpp, as far as it goes");
    const auto options = std::make_shared<ExerciseOptions>();
    command
        .option("FILE", options->own.file,
                "Your functions, as C++ or as a shared library (.so) that you built [exercise/backward.cpp]")
        .not_empty();
    command
        .option("--sanitize", options->sanitize,
                "Build them with a sanitizer, which names the line of a fault (slower). address: out of bounds, "
                "overflow, ...; thread: data races, with --threads")
        .one_of({"address", "thread"});
    command.flag("--threads", options->threads,
                 "Also call each function from two threads at once; it must make the same numbers");
    command
        .option("--flags", options->own.flags,
                "Options for the compiler, as --flags='-O3 -march=native'; they come after CXXFLAGS")
        .not_empty();
    command.option("--built", options->built, "").group("");  // not for people
    command
        .option("--timeout", options->timeout,
                "Seconds that one call of a function may take; what takes longer is wrong, and ended")
        .number(0.001, 86400)
        .shows_default();
    command
        .option("--hint", options->hint,
                "Of a gradient, as dbnvar: what it reads; dbnvar:2 the rule too, dbnvar:3 the formula")
        .not_empty();
    add_quick(command, options->quick);
    command.option("--format", options->format, "table, json or junit")
        .one_of({"table", "json", "junit"})
        .shows_default();
    command.option("--output", options->output, "Write the report there [standard output]").not_empty();
    add_network_options(command, options->network);
    command.on_run([options] { return exercise(*options); });
}

}  // namespace byhand::cli
