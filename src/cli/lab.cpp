#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/experiments.h"
#include "cli/files.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/run_program.h"
#include "cli/say.h"
#include "lab/document_json.h"
#include "manual/formulas.h"
#include "report/writers.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

struct LabOptions {
    bool json = false;
    bool no_plot = false;
    OutputPath svg, html;
};

constexpr const char* kNoGnuplot = "gnuplot is not installed (Debian: gnuplot-nox)";

// LibTorch, or why it is missing.
struct Torch {
    const torch_ref::Factory* factory = nullptr;
    std::string absent;
};
Torch torch_or_why() {
    try {
        return {&torch_ref::load(), ""};
    } catch (const InputError& error) {
        return {nullptr, error.what()};
    }
}

// None if the document has no plots or gnuplot is missing; the latter is reported on stderr.
std::optional<std::string> drawn(const Document& document, const std::string& script) {
    if (document.plots.empty()) {
        return std::nullopt;
    }
    std::optional<std::string> picture = gnuplot(script);
    if (!picture) {
        say("no plot: {}\n", kNoGnuplot);
    }
    return picture;
}

void print_terminal_plots(const Document& document) {
    constexpr std::size_t kColumns = 79, kRows = 24;
    std::string picture = drawn(document, terminal_script(document.plots, kColumns, kRows)).value_or("");
    std::erase(picture, '\f');
    fmt::print("{}", picture);
}

// The output files.
struct Files {
    std::optional<TextFile> svg, html;
};

void write_files(const Document& document, const Files& files) {
    if (!files.svg && !files.html) {
        return;
    }
    const std::string svg = drawn(document, svg_script(document.plots)).value_or("");
    if (files.svg) {
        if (svg.empty()) {
            throw InputError("--svg: this experiment has no plot; --html writes its tables");
        }
        files.svg->write(svg);
    }
    if (files.html) {
        Document page = document;
        page.blocks.emplace_back(Figure{"", svg});
        files.html->write(to_html(page));
    }
}

// A line that is redrawn on a terminal, else a line for each tenth. Each stage of an experiment starts again.
void report_progress(std::optional<Progress>& progress, std::size_t done, std::size_t parts) {
    if (done == 0 || !progress) {
        progress.emplace(parts, std::nullopt, "lab", "part");
    }
    if (done == 0) {
        return;
    }
    progress->step(done - 1);
    if (::isatty(STDERR_FILENO) == 0 && 10 * done / parts != 10 * (done - 1) / parts) {
        say("{} of {} parts after {:.0f} s\n", done, parts, progress->seconds());
    }
}

int run(const RunExperiment& experiment, const LabOptions& options) {
    Files files;
    for (const auto& [path, file] : {std::pair{&options.svg, &files.svg}, {&options.html, &files.html}}) {
        if (!path->empty()) {
            file->emplace(*path);
        }
    }
    if (!options.svg.empty() && !gnuplot("")) {
        throw InputError(std::string("--svg: ") + kNoGnuplot);
    }
    const Torch torch = torch_or_why();
    std::optional<Progress> progress;
    Document document = experiment({.torch = torch.factory, .progress = [&](std::size_t done, std::size_t parts) {
                                        report_progress(progress, done, parts);
                                    }});
    if (progress) {
        progress->finish();
    }
    lab::fill_in_formulas(document, source_of);
    write_files(document, files);
    if (!torch.absent.empty()) {
        say("figures of LibTorch are left out: {}\n", printable(torch.absent));
    }
    if (options.json) {
        fmt::print("{}", lab::to_json(document));
    } else {
        fmt::print("{}", to_text(document));
        if (!options.no_plot) {
            print_terminal_plots(document);
        }
    }
    if (!document.agrees) {
        say("byhand and LibTorch disagree: see the verdicts other than \"agrees\"\n");
        return kDisagrees;
    }
    return kFine;
}

void list_experiments() {
    for (const Experiment& one : experiments()) {
        fmt::print("{:<12} {:<13} {}\n", one.name, one.note, one.about);
    }
}

std::string unknown(const std::string& word) {
    std::vector<std::string> names;
    for (const Experiment& one : experiments()) {
        names.emplace_back(one.name);
    }
    return fmt::format("there is no experiment {}{} (byhand lab lists them)", word, the_nearest(word, names));
}

}  // namespace

void add_lab(const Command& program) {
    const Command command = program.add_command("lab", kLabAbout);
    command.takes_one_command();
    command.footer("byhand lab lists the experiments with their notes; byhand lab NAME runs one.");
    for (const Experiment& one : experiments()) {
        const Command experiment = command.add_command(one.name, fmt::format("{} ({})", one.about, one.note));
        const auto options = std::make_shared<LabOptions>();
        const RunExperiment run_it = one.add(experiment);
        experiment.option("--svg", options->svg, "Write the plots to this file, as SVG").not_empty();
        experiment.option("--html", options->html, "Write a self-contained HTML page to this file").not_empty();
        experiment.flag("--json", options->json, "Print all figures as JSON");
        experiment.flag("--no-plot", options->no_plot, "Draw no plot in the terminal");
        experiment.on_run([run_it, options] { return run(run_it, *options); });
    }
    command.takes_any_words();  // so that the message for an unknown name can suggest the nearest
    command.on_run([command] {
        if (const std::vector<std::string> words = command.other_words(); !words.empty()) {
            throw InputError(unknown(words.front()));
        }
        if (!command.has_chosen_command()) {
            list_experiments();
        }
        return kFine;
    });
}

}  // namespace byhand::cli

int main(int argc, char** argv) {
    return byhand::cli::run_command_program("lab", argc, argv, byhand::cli::add_lab);
}
