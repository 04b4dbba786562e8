#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/examine.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/hint.h"
#include "cli/memory.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "exercise/load.h"
#include "harness/isolated/subprocess.h"
#include "manual/glossary.h"
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
    ReportOptions report;
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
    return text;
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

// What the process that judges hands over to the one that started it: a report, or why there is none.
class HandOver {
public:
    enum class Kind : char { right = 'r', wrong = 'w', input_error = 'i', no_memory = 'm', error = 'e' };

    HandOver() : file_(::memfd_create("byhand", MFD_CLOEXEC)) {
        if (file_.number() < 0) {
            throw InputError("no memory for a report: " + reason());
        }
    }
    void put(Kind kind, std::string_view text) const {
        const std::string all = static_cast<char>(kind) + std::string(text);
        if (!write_all(file_.number(), all.data(), all.size())) {
            throw std::runtime_error("a report can't be handed over: " + reason());
        }
    }
    std::pair<Kind, std::string> taken() const {
        ::lseek(file_.number(), 0, SEEK_SET);
        std::string all;
        std::array<char, 4096> some{};
        while (const std::size_t got = read_some(file_.number(), some.data(), some.size(), "a report")) {
            all.append(some.data(), got);
        }
        if (all.empty()) {
            throw std::runtime_error("no report was handed over");
        }
        return {static_cast<Kind>(all[0]), all.substr(1)};
    }

private:
    Descriptor file_;
};

void judge(const ExerciseOptions& options, const exercise::Functions& steps, const ReportFile& report,
           const HandOver& hand_over) {
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
    how.glossary = glossary_of(how.network);
    how.whose = Whose::yours;
    how.characters = printable_characters(run.vocabulary);
    how.source = [&](const std::string& function) { return SourceLine{place_of(function, options.own.path()), ""}; };
    how.shows = [&](const std::string& name) {
        const auto makes_it = [&](const Attempt& attempt) { return attempt.value.name == name; };
        return std::ranges::any_of(examination.attempts, makes_it);
    };
    Document document = exercise_document(examination, how);
    document.title = heading(options.own);
    hand_over.put(document.agrees ? HandOver::Kind::right : HandOver::Kind::wrong, report.text_of(document));
}

// To open a library runs code of it, which may do anything, as may threads that it starts then: it is opened once, in a
// subprocess, which judges it too. This process waits for a report. An end without one is no verdict.
int examine_and_report(const ExerciseOptions& options, Library& library, const ReportFile& report) {
    using Kind = HandOver::Kind;
    enum : std::size_t { kLoads, kJudges };
    const std::string file = options.own.path();
    const HandOver hand_over;
    SubprocessLimits limits = limits_of(options);
    limits.memory = SubprocessLimits::kAllMemory;
    limits.advice.clear();
    const SubprocessEnd end = run_in_subprocess(limits, [&](Journal& journal) {
        try {
            const exercise::Functions steps = exercise::load(library.path(), file);
            library.is_open();
            journal.begin(kJudges);
            journal.stop_clock();
            try {
                judge(options, steps, report, hand_over);
            } catch (const InputError&) {
                throw;
            } catch (const std::bad_alloc&) {
                hand_over.put(Kind::no_memory, "");
            } catch (const std::exception& error) {
                hand_over.put(Kind::error, error.what());
            }
        } catch (const InputError& error) {
            hand_over.put(Kind::input_error, error.what());
        }
    });
    if (!end.fault.empty()) {
        throw InputError(fmt::format("{} {} {}", file, end.fault,
                                     end.index == kLoads ? "while it is loaded" : "outside of every function"));
    }
    library.is_open();
    const auto [kind, text] = hand_over.taken();
    switch (kind) {
        case Kind::input_error:
            throw InputError(text);
        case Kind::no_memory:
            throw std::bad_alloc();
        case Kind::error:
            throw std::runtime_error(text);
        case Kind::right:
        case Kind::wrong:
            break;
    }
    report.write(text);
    say_if_quick(options.quick);
    return kind == Kind::right ? kFine : kDisagrees;
}

// What takes a third of a second, while the compiler runs. Why it can't be done is told where it is needed.
void load_torch() {
    try {
        torch_ref::load();
    } catch (const InputError&) {  // NOLINT(bugprone-empty-catch)
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
    const Recipe recipe = recipe_of(options.network);
    check_memory(recipe.network, recipe.batch, kBytesOfExercise);
    const ReportFile report(options.report);
    if (!options.built.empty()) {
        Library built({options.built, {}}, exercise::Sanitizer::none);
        return examine_and_report(options, built, report);
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
    Library library(options.own, sanitizer, sanitizer == Sanitizer::none ? load_torch : nullptr);
    return sanitizer == Sanitizer::none ? examine_and_report(options, library, report)
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
        .option(
            "--timeout", options->timeout,
            "Seconds that all calls of a function may take together, in float and in double each; what takes longer is "
            "wrong, and ended")
        .number(0.001, 86400)
        .shows_default();
    command
        .option("--hint", options->hint,
                "Of a gradient, as dbnvar: what it reads; dbnvar:2 the rule too, dbnvar:3 the formula")
        .not_empty();
    add_quick(command, options->quick);
    add_report_options(command, options->report, Judged::yes);
    add_network_options(command, options->network);
    command.on_run([options] { return exercise(*options); });
}

}  // namespace byhand::cli
