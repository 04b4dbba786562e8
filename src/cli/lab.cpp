#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "lab/experiments.h"
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

// What one experiment is called with.
struct Called {
    const lab::Experiment& experiment;
    lab::Prepared prepared;
    NetworkOptions network;
    std::size_t seeds, steps;
    LabOptions output;
};

// Whole numbers have bounds that are whole.
std::uint64_t bound(double value) {
    return static_cast<std::uint64_t>(std::clamp(value, 0.0, 1e12));
}

void add_option(const Command& command, const lab::OwnOption& own) {
    const auto add = [&](auto& value) {
        Option option = command.option(own.name, value, own.about);
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            option.list().one_of(own.words);
        } else if constexpr (std::is_same_v<T, std::vector<std::size_t>>) {
            option.list().whole_number(bound(own.least), bound(own.most)).shows_default();
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
            option.list().number(own.least, own.most).shows_default();
        } else if constexpr (std::is_same_v<T, std::size_t>) {
            option.whole_number(bound(own.least), bound(own.most)).shows_default();
        } else {
            option.number(own.least, own.most).shows_default();
        }
    };
    const auto add_file = [&](lab::InputText& file) {
        const auto path = std::make_shared<InputPath>();
        command.option(own.name, *path, own.about).not_empty().each([path, &file](const std::string& value) {
            file.path = value;
            file.text = read_text(value, file.most_bytes);
        });
    };
    std::visit(
        [&](auto* value) {
            if constexpr (std::is_same_v<decltype(value), lab::InputText*>) {
                add_file(*value);
            } else {
                add(*value);
            }
        },
        own.value);
}

void add_options(const Command& command, Called& called) {
    constexpr std::uint64_t kMostSteps = 10'000'000, kMostSeeds = 1000;
    const lab::Experiment& experiment = called.experiment;
    for (const lab::OwnOption& own : called.prepared.options) {
        add_option(command, own);
    }
    if (experiment.seeds > 0) {
        command.option("--seeds", called.seeds, "Number of seeds, consecutive from --seed")
            .whole_number(1, kMostSeeds)
            .shows_default();
    }
    if (experiment.steps > 0) {
        command.option("--steps", called.steps, "Steps of each training, to which the recipe's schedule is scaled")
            .whole_number(1, kMostSteps)
            .shows_default();
    }
    if (experiment.networks != lab::Networks::none) {
        add_network_options(command, called.network);
    } else if (experiment.seeds > 0) {
        command.option("--seed", called.network.flags.seed, "First seed of the data").whole_number(0);
    }
    if (experiment.networks == lab::Networks::every_place) {
        command.remove("--norm");
    }
    command.option("--svg", called.output.svg, "Write the plots to this file, as SVG").not_empty();
    command.option("--html", called.output.html, "Write a self-contained HTML page to this file").not_empty();
    command.flag("--json", called.output.json, "Print all figures as JSON");
    command.flag("--no-plot", called.output.no_plot, "Draw no plot in the terminal");
}

lab::Setup setup_of(const Called& called, bool has_recipe) {
    const lab::Experiment& experiment = called.experiment;
    lab::Setup setup{
        .recipes = {}, .material = {}, .seeds = std::vector<std::uint64_t>(called.seeds), .steps = called.steps};
    std::iota(setup.seeds.begin(), setup.seeds.end(), called.network.flags.seed.value_or(1));
    if (experiment.networks == lab::Networks::none) {
        return setup;
    }
    setup.recipes.push_back(recipe_of(called.network));
    lab::check_recipe(setup.recipes.front(), experiment);
    if (experiment.second_recipe != nullptr && !has_recipe) {
        setup.recipes.push_back(read_recipe(experiment.second_recipe));
    }
    setup.material = {read_names_aloud(called.network.data, bad_lines(called.network)),
                      data_path_of(called.network.data)};
    return setup;
}

int run(const Called& called, bool has_recipe) {
    const LabOptions& options = called.output;
    const Files files{svg_file(options.svg), text_file(options.html)};
    const Torch torch = torch_or_why();
    std::optional<Progress> progress;
    lab::Setup setup = setup_of(called, has_recipe);
    setup.setting = {.torch = torch.factory,
                     .progress = [&](std::size_t done, std::size_t parts) { report_progress(progress, done, parts); }};
    Document document = called.prepared.run(setup);
    if (progress) {
        progress->finish();
    }
    // Gnuplot fails for a plot without a point: that of a curve whose first one needs more steps than there were.
    std::erase_if(document.plots, [](const Plot& plot) {
        return std::ranges::all_of(plot.series, [](const Series& one) { return one.x.empty(); });
    });
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
    for (const lab::Experiment& one : lab::experiments()) {
        fmt::print("{:<12} {:<13} {}\n", one.name, one.note, one.about);
    }
}

std::string unknown(const std::string& word) {
    std::vector<std::string> names;
    for (const lab::Experiment& one : lab::experiments()) {
        names.emplace_back(one.name);
    }
    return fmt::format("there is no experiment {}{} (byhand lab lists them)", word, the_nearest(word, names));
}

}  // namespace

void add_lab(const Command& program) {
    const Command command = program.add_command("lab", kLabAbout);
    command.takes_one_command();
    command.footer("byhand lab lists the experiments with their notes; byhand lab NAME runs one.");
    for (const lab::Experiment& one : lab::experiments()) {
        const Command experiment = command.add_command(one.name, fmt::format("{} ({})", one.about, one.note));
        const auto called = std::make_shared<Called>(
            Called{one, one.prepare(), {}, std::max<std::size_t>(1, one.seeds), one.steps, {}});
        add_options(experiment, *called);
        experiment.on_run([called, experiment] {
            return run(*called, called->experiment.networks != lab::Networks::none && experiment.given("--recipe"));
        });
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
