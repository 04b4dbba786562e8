#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "foreign/exercise/build.h"
#include "foreign/exercise/examine.h"
#include "foreign/exercise/functions.h"
#include "foreign/subprocess.h"
#include "manual/formulas.h"
#include "manual/operation.h"
#include "manual/stepwise.h"
#include "report/writers.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

struct ExerciseOptions {
    NetworkOptions network;
    OwnFunctions own;
    std::string sanitize;  // "address" or "thread"; empty for none
    std::string built;     // the library that the process that started this one has built from `own`
    bool threads = false;
    std::string hint;
    OutputPath stubs;               // the new file to write
    std::vector<std::string> only;  // the functions to judge; empty: all
    bool watch = false, points = false;
    bool quick = false, verbose = false;
    double timeout = 10;  // seconds
    ReportOptions report;
};

// Which file is judged; if it is the default, also the file in this folder that may have been meant.
std::string heading(const OwnFunctions& own) {
    std::string text = "judged: " + own.shown();
    for (const char* here : {"backward.cpp", "exercise/backward.cpp"}) {
        if (own.file.empty() && std::filesystem::exists(here) && !same_file(here, own.path())) {
            text += fmt::format(", the default; byhand exercise {} judges the one in this folder", here);
            break;
        }
    }
    return text;
}

// Shows progress on a terminal. Output of a function begins on a new line.
Examination examine_aloud(const exercise::ExternalFunctions& functions, const torch_ref::Factory& torch, const Run& run,
                          const exercise::ExaminationConfig& config) {
    if (::isatty(STDERR_FILENO) == 0) {
        return exercise::examine(functions, torch, run, config, {});
    }
    Progress progress(functions.size(), std::nullopt, "judging", "function");
    std::size_t judged = 0;
    bool in_chain = false;
    exercise::Watch watch;
    watch.begins = [&] { progress.step(judged++); };
    watch.chains = [&] {
        in_chain = true;
        progress.finish();
        say("comparing end to end ...");
    };
    watch.running = [&](const std::string&) {
        if (!in_chain) {
            progress.finish();
        }
    };
    const Examination examination = exercise::examine(functions, torch, run, config, watch);
    progress.finish();
    return examination;
}

CallLimits limits_of(const ExerciseOptions& options) {
    CallLimits limits{.timeout = std::chrono::milliseconds(std::llround(1000 * options.timeout)),
                      .goes_on = [] { return !interrupted(); },
                      .advice = [] { return "; byhand exercise --sanitize address shows the line"; }};
    if (!options.sanitize.empty()) {
        limits.advice = exercise::sanitizer_reports(options.built, options.own.path(),
                                                    [](const std::string& report) { say("{}", report); });
    }
    return limits;
}

// Passes a report, or an error, from the judging process to the one that started it. A function that finds the
// descriptor and writes to it does not know the seal around what is passed.
class HandOver {
public:
    enum class Outcome : char { right = 'r', wrong = 'w', input_error = 'i', no_memory = 'm', error = 'e' };

    HandOver() : file_(::memfd_create("byhand", MFD_CLOEXEC)), seal_(16, '\0') {
        if (file_.number() < 0 || ::getentropy(seal_.data(), seal_.size()) != 0) {
            throw InputError("no memory for a report: " + reason());
        }
    }
    void put(Outcome kind, std::string_view text) const {
        const std::string all = seal_ + static_cast<char>(kind) + std::string(text) + seal_;
        if (!write_all(file_.number(), all.data(), all.size())) {
            throw std::runtime_error("the report could not be transferred: " + reason());
        }
    }
    // Throws InputError if something else wrote to it.
    std::pair<Outcome, std::string> taken() const {
        ::lseek(file_.number(), 0, SEEK_SET);
        std::string all;
        std::array<char, 4096> some{};
        while (const std::size_t got = read_some(file_.number(), some.data(), some.size(), "a report")) {
            all.append(some.data(), got);
        }
        if (all.empty()) {
            throw std::runtime_error("no report was transferred");
        }
        const std::size_t seals = 2 * seal_.size() + 1;
        if (all.size() < seals || !all.starts_with(seal_) || !all.ends_with(seal_)) {
            throw InputError("a function under test wrote into its own report; there is no verdict");
        }
        return {static_cast<Outcome>(all[seal_.size()]), all.substr(seal_.size() + 1, all.size() - seals)};
    }

private:
    Descriptor file_;
    std::string seal_;
};

// Of the step that the function with this label stands for.
std::string formula_of(const std::string& label, const Recipe& recipe) {
    const std::size_t in_one = label.find("_in_one");
    const MakeGraph make = in_one == std::string::npos ? stepwise_graph : collapsed_graph;
    const Graph network = make(recipe.network, recipe.batch);
    const Step* step = find_step(network, label.substr(0, in_one));
    return step == nullptr ? "" : source_of(step->in_float.name).formula;
}

void judge(const ExerciseOptions& options, const Command& command, const exercise::ExternalFunctions& functions,
           const ReportFile& report, const HandOver& hand_over) {
    const Run run = run_of(options.network);
    const torch_ref::Factory& torch = torch_ref::load();
    Examination examination = examine_aloud(functions, torch, run,
                                            {.limits = limits_of(options),
                                             .threads = options.threads || options.sanitize == "thread",
                                             .quick = options.quick,
                                             .mistakes = known_mistakes()});
    examination.file = options.own.shown();

    Presentation how;
    how.recipe = run.recipe.name;
    how.torch_version = torch.version();
    how.network = run.recipe.network;
    how.glossary = glossary_of(how.network);
    how.whose = Whose::yours;
    how.characters = printable_characters(run.vocabulary);
    how.source = [&, with_formulas = report.format() == "html"](const std::string& label) {
        SourceLine own = source_of_own(label, options.own.path());
        if (with_formulas) {
            own.formula = formula_of(label, run.recipe);
        }
        return own;
    };
    how.shows = [&](const std::string& name) {
        const auto makes_it = [&](const Attempt& attempt) { return attempt.value.name == name; };
        return std::ranges::any_of(examination.attempts, makes_it);
    };
    const std::string file = options.own.file.empty() ? "" : " " + quoted(options.own.file.path);
    const std::string network = command.replay_group(kNetworkGroup);
    ExerciseCommands commands{.hint = "byhand exercise" + network + " --hint",
                              .when_right = {.words = "next: train with these functions:",
                                             .code = "  byhand train --model exercise" +
                                                     (file.empty() ? "" : " --functions" + file) + network}};
    if (!options.only.empty()) {
        commands.when_right = {.words = "next: check all functions:", .code = "  byhand exercise" + file + network};
    }
    Document document = exercise_document(
        examination, how, report.format() == "table" && !options.verbose ? ShownRows::disagreeing : ShownRows::all,
        commands);
    document.title = heading(options.own);
    hand_over.put(document.agrees ? HandOver::Outcome::right : HandOver::Outcome::wrong,
                  options.points ? printed_json(points_of(examination), 2) + "\n" : report.text_of(document));
}

// Opening a library runs code in it, and that code may do anything and start threads. The library is therefore opened
// once, in a subprocess, which also judges it. This process waits for the report; an end without one is an error.
int examine_and_report(const ExerciseOptions& options, const Command& command, Library& library,
                       const ReportFile& report) {
    using Outcome = HandOver::Outcome;
    enum : std::size_t { kLoads, kJudges };
    const std::string file = options.own.path();
    const HandOver hand_over;
    CallLimits limits = limits_of(options);
    limits.memory = CallLimits::kAllMemory;
    limits.advice = {};
    const SubprocessEnd end = run_in_subprocess(limits, [&](Journal& journal) {
        try {
            exercise::ExternalFunctions functions = exercise::load(library.path(), file);
            library.is_open();
            if (!options.only.empty()) {
                exercise::keep(functions, options.only);
            }
            journal.begin(kJudges);
            journal.stop_clock();
            try {
                judge(options, command, functions, report, hand_over);
            } catch (const InputError&) {
                throw;
            } catch (const std::bad_alloc&) {
                hand_over.put(Outcome::no_memory, "");
            } catch (const std::exception& error) {
                hand_over.put(Outcome::error, error.what());
            }
        } catch (const InputError& error) {
            hand_over.put(Outcome::input_error, error.what());
        }
    });
    if (!end.fault.empty()) {
        throw InputError(fmt::format("{} {} {}", file, end.fault,
                                     end.index == kLoads ? "while it is loaded" : "outside of every function"));
    }
    library.is_open();
    const auto [kind, text] = hand_over.taken();
    switch (kind) {
        case Outcome::input_error:
            throw InputError(text);
        case Outcome::no_memory:
            throw std::bad_alloc();
        case Outcome::error:
            throw std::runtime_error(text);
        case Outcome::right:
        case Outcome::wrong:
            break;
    }
    report.write(text);
    say_if_quick(options.quick);
    return kind == Outcome::right ? kFine : kDisagrees;
}

// Loads LibTorch, which takes a third of a second, while the compiler runs. An error is reported when LibTorch is used.
void load_torch() {
    try {
        torch_ref::load();
    } catch (const InputError&) {  // NOLINT(bugprone-empty-catch)
    }
}

// Writes a file with empty functions for the network.
int begin_exercise(const ExerciseOptions& options, const Command& command) {
    const std::string& path = options.stubs.path;
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
        throw InputError("--new: " + path + " is there already; name another file");
    }
    const Run run = run_of(options.network);
    const Graph network = stepwise_graph(run.recipe.network, run.recipe.batch);
    const std::string check = "byhand exercise " + quoted(path) + command.replay_group(kNetworkGroup);
    TextFile(options.stubs).write(exercise::stubs(network, check));
    fmt::print("{} has {} functions to write; each is checked by\n  {}\n", printable(path), network.backward.size(),
               check);
    return kFine;
}

int exercise(const ExerciseOptions& options, const Command& command) {
    if (!options.stubs.path.empty()) {
        return begin_exercise(options, command);
    }
    if (options.watch) {
        std::vector<std::string> words = command_line();
        std::erase(words, "--watch");
        return run_on_every_save(options.own.path(), std::move(words));
    }
    if (!options.hint.empty()) {
        const Recipe recipe = recipe_of(options.network);
        NetworkConfig network = recipe.network;
        network.vocabulary = std::max<std::size_t>(network.vocabulary, 2);
        fmt::print("{}", wrapped(hint(options.hint, network, recipe.batch), terminal_width(STDOUT_FILENO)));
        return kFine;
    }
    const Recipe recipe = recipe_of(options.network);
    check_memory(recipe.network, recipe.batch, kBytesOfExercise);
    const ReportFile report(options.report);
    if (!options.built.empty()) {
        Library built({options.built, {}}, exercise::Sanitizer::none);
        return examine_and_report(options, command, built, report);
    }
    for (const auto& [given, flag] :
         {std::pair{!options.sanitize.empty(), "--sanitize"}, {!options.own.flags.empty(), "--flags"}}) {
        if (given && options.own.is_library()) {
            throw InputError(
                fmt::format("{} is already built; {} requires a source file", options.own.file.path, flag));
        }
    }
    using exercise::Sanitizer;
    const Sanitizer sanitizer = options.sanitize.empty()       ? Sanitizer::none
                                : options.sanitize == "thread" ? Sanitizer::thread
                                                               : Sanitizer::address;
    Library library(options.own, sanitizer, sanitizer == Sanitizer::none ? load_torch : nullptr);
    return sanitizer == Sanitizer::none ? examine_and_report(options, command, library, report)
                                        : run_again_sanitized(library, sanitizer);
}

}  // namespace

void add_exercise(const Command& program) {
    const Command command = program.add_command("exercise", kExerciseAbout);
    const auto options = std::make_shared<ExerciseOptions>();
    command
        .option("FILE", options->own.file,
                "Your functions: C++ source or a shared library (.so) [exercise/backward.cpp]")
        .not_empty();
    command
        .option("--sanitize", options->sanitize,
                "Build with a sanitizer, which reports the line of a fault. address: out of bounds, overflow, ...; "
                "thread: data races, implies --threads")
        .one_of({"address", "thread"});
    command.flag("--threads", options->threads,
                 "Also call each function from two threads at once; the results must be the same");
    command.option("--flags", options->own.flags, "Compiler options after CXXFLAGS, as --flags='-O3 -march=native'")
        .not_empty();
    command.option("--built", options->built, "").group("");  // internal
    command
        .option(
            "--timeout", options->timeout,
            "Time limit in seconds for all calls of a function, for float and double each; a function that exceeds it "
            "is stopped, and wrong")
        .number(0.001, 86400)
        .shows_default();
    command
        .option("--hint", options->hint,
                "Show what a gradient reads, as dbnvar; dbnvar:2 adds the rule, dbnvar:3 the formula")
        .not_empty();
    command
        .option("--only", options->only, "Check only these functions, as dbnvar or dbnvar,dh; the others are left out")
        .list();
    const Option watch = command.flag("--watch", options->watch,
                                      "Check again whenever FILE is saved, until Ctrl-C; the screen is cleared");
    command
        .option("--new", options->stubs,
                "Write this file, with an empty function and the shapes for each gradient of the network (--recipe), "
                "and check nothing")
        .not_empty()
        .excludes(watch);
    Option points = command.flag("--points", options->points,
                                 "Print a point for each right function as JSON for autograders, in Gradescope's form");
    add_quick(command, options->quick);
    command.flag("--verbose", options->verbose, "List every function in the table, not only those that are not right");
    const std::vector<Option> report = add_report_options(command, options->report, Judged::yes);
    points.excludes(report[0]).excludes(report[1]);
    add_network_options(command, options->network);
    command.on_run([options, command] { return exercise(*options, command); });
}

}  // namespace byhand::cli
