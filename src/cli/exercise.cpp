#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/apart.h"
#include "cli/commands.h"
#include "cli/examine.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/hint.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "exercise/load.h"
#include "harness/report.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

struct ExerciseOptions {
    NetworkOptions network;
    OwnFunctions own;
    bool sanitize = false;
    std::string built;  // what `own` was built into by a run of this command that runs this one
    std::string hint;
    std::string format = "table";
    OutputPath output;
};

std::string report_of(const ExerciseOptions& options, const Examination& examination, const Presentation& how) {
    if (options.format == "json") {
        return exercise_json(examination, how);
    }
    if (options.format == "junit") {
        return exercise_junit(examination, how);
    }
    return blame(examination.step, how) + exercise_table(examination, how.colour);
}

// How far it is, on a terminal alone; what a function that crashes has to say begins a line of its own.
Examination examine_aloud(const exercise::Steps& steps, const torch_ref::Factory& torch, const Run& run, Watch watch) {
    if (::isatty(STDERR_FILENO) == 0) {
        return examine(steps, torch, run, watch);
    }
    Progress progress(steps.in_float().size(), std::nullopt, "judging", "function");
    std::size_t judged = 0;
    bool in_chain = false;
    watch.begins = [&] { progress.step(judged++); };
    watch.chains = [&] {
        in_chain = true;
        progress.finish();
        say("comparing the chain ...");
    };
    watch.running = [&, running = std::move(watch.running)](const std::string& label) {
        if (!in_chain) {
            progress.finish();
        }
        running(label);
    };
    const Examination examination = examine(steps, torch, run, watch);
    progress.finish();
    return examination;
}

int examine_and_report(const ExerciseOptions& options, const std::string& library,
                       const std::optional<TextFile>& output, const Watch& watch) {
    const exercise::Steps steps = exercise::load(library, options.own.path());
    const Run run = run_of(options.network);
    const torch_ref::Factory& torch = torch_ref::load();
    const Examination examination = examine_aloud(steps, torch, run, watch);

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
    return all_right(examination) ? kFine : kDisagrees;
}

// A function that crashes takes no verdict with it: it is named, and the others are judged without it.
int examine_apart(const ExerciseOptions& options, const Library& library, const std::optional<TextFile>& output) {
    Watch watch;
    for (;;) {
        const Apart apart = run_apart(library.signals(), [&](const std::function<void(const std::string&)>& doing) {
            watch.running = doing;
            return examine_and_report(options, library.path(), output, watch);
        });
        if (!apart.signal || interrupted()) {
            return apart.exit_code;
        }
        const char* signal = ::strsignal(*apart.signal);  // NOLINT(concurrency-mt-unsafe): one thread
        if (apart.doing.empty() || watch.crashed.contains(apart.doing)) {
            throw InputError(fmt::format("{} ended the run ({}) outside of every function", signal, *apart.signal));
        }
        watch.crashed[apart.doing] =
            fmt::format("crashes ({}); {}", signal,
                        options.sanitize ? "see above" : "byhand exercise --sanitize tells in which line");
    }
}

int exercise(const ExerciseOptions& options) {
    if (!options.hint.empty()) {
        const Recipe recipe = recipe_of(options.network);
        NetworkConfig network = recipe.network;
        network.vocabulary = std::max<std::size_t>(network.vocabulary, 2);
        fmt::print("{}", hint(options.hint, network, recipe.batch));
        return kFine;
    }
    std::optional<TextFile> output;
    if (!options.output.empty()) {
        output.emplace(options.output);
    }
    if (!options.built.empty()) {
        return examine_apart(options, Library({options.built, {}}, false), output);
    }
    for (const auto& [given, flag] :
         {std::pair{options.sanitize, "--sanitize"}, {!options.own.flags.empty(), "--flags"}}) {
        if (given && options.own.is_library()) {
            throw InputError(fmt::format("{} is built already: {} is for a source", options.own.file.path, flag));
        }
    }
    const Library library(options.own, options.sanitize);
    return options.sanitize ? run_again_sanitized(library) : examine_apart(options, library, output);
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
    command.flag("--sanitize", options->sanitize,
                 "Build them so that a fault is told with its line (slower): out of bounds, overflow, ...");
    command
        .option("--flags", options->own.flags,
                "Options for the compiler, as --flags='-O3 -march=native'; they come after CXXFLAGS")
        .not_empty();
    command.option("--built", options->built, "").group("");  // not for people
    command
        .option("--hint", options->hint,
                "Of a gradient, as dbnvar: what it reads; dbnvar:2 the rule too, dbnvar:3 the formula")
        .not_empty();
    command.option("--format", options->format, "table, json or junit")
        .one_of({"table", "json", "junit"})
        .shows_default();
    command.option("--output", options->output, "Write the report there [standard output]").not_empty();
    add_network_options(command, options->network);
    command.on_run([options] { return exercise(*options); });
}

}  // namespace byhand::cli
