#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "bench/compare.h"
#include "bench/machine.h"
#include "bench/operations.h"
#include "bench/peers/peers.h"
#include "bench/report.h"
#include "bench/step.h"
#include "bench/sweep.h"
#include "cli/bench_torch.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "fast/simd/targets.h"

namespace byhand::cli {
namespace {

constexpr const char* kRecipes[] = {
    "notes",      "makemore-bn",      "makemore-deep", "wide", "deepwide", "bigbatch", "mlp-relu-layernorm",
    "resnet-mlp", "makemore-wavenet", "opennn"};
constexpr const char *kSweptRecipe = "makemore-bn", *kRecipeOfRanks = "bigbatch";

// A recipe with LibTorch's own norm, and the names to train it on.
struct BenchRecipe {
    std::string name;  // as on the command line
    Recipe recipe;
    bool changed_norm = false;
};

// The recipes on the command line, else the default ones.
std::vector<BenchRecipe> recipes_of(const BenchOptions& options) {
    std::vector<std::string> names(options.recipes.begin(), options.recipes.end());
    if (names.empty() && !options.ranks.empty()) {
        names.emplace_back(kRecipeOfRanks);
    } else if (names.empty() && options.sweep.empty()) {
        names.assign(std::begin(kRecipes), std::end(kRecipes));
    } else if (names.empty()) {
        names.emplace_back(kSweptRecipe);
    }
    std::vector<BenchRecipe> all;
    all.reserve(names.size());
    for (const std::string& name : names) {
        const Recipe recipe = read_recipe(name);
        const Recipe with_norm = bench::with_batch_norm_1d(recipe);
        say_if_step_by_step(with_norm);
        all.emplace_back(BenchRecipe{name, with_norm, !(with_norm == recipe)});
    }
    return all;
}

// The peak is the highest of the whole run.
void look_again(bench::Machine& machine) {
    machine.peak_gflops = std::max(machine.peak_gflops, bench::peak_gflops(machine.threads));
}

// The report of --compare, if it is given and can be compared with what will be measured.
std::optional<bench::Report> earlier_report(const BenchOptions& options, const std::vector<BenchRecipe>& measured,
                                            const NamesFile& names) {
    if (options.compare.empty()) {
        return std::nullopt;
    }
    if (options.rounds < bench::kLeastRounds) {
        throw InputError(fmt::format("--compare requires at least {} rounds", bench::kLeastRounds));
    }
    constexpr std::size_t kLargest = std::size_t{1} << 24;
    const std::string& path = options.compare;
    bench::Report earlier = bench::report_of(strict_json(read_text(path, kLargest), path), path);
    std::vector<Recipe> recipes;
    const std::size_t vocabulary = vocabulary_of(names.names).size();
    for (const BenchRecipe& one : measured) {
        recipes.push_back(one.recipe);
        recipes.back().network.vocabulary = vocabulary;
    }
    bench::Machine here;
    here.cpu = bench::cpu_name();
    here.target = simd::target_name();
    here.threads = options.torch.threads;
    bench::check_comparable(earlier, here, options.kernels, recipes);
    return earlier;
}

void report_progress(const std::string& what, std::size_t done, std::size_t all) {
    say("{} ({} of {})\n", printable(what), done + 1, all);
}

// Other libraries are timed with one thread.
std::vector<peers::Peer> peers_of(const BenchOptions& options) {
    if (options.torch.threads > 1 || options.torch.as_installed) {
        return {};
    }
    return peers::load(options.torch.avx2);
}

bench::Result measured(const BenchRecipe& what, const NamesFile& names, const torch_ref::Factory* torch,
                       const BenchOptions& options, const std::vector<peers::Peer>& peers = {}) {
    const Run run = prepare(what.recipe, names, data_path_of(""));
    const bench::StepTimes times = bench::step_times(run, torch, options.torch.threads, options.rounds, peers);
    bench::Result result = bench::result_of(times, run.recipe, options.torch.threads);
    result.changed_norm = what.changed_norm;
    return result;
}

// Reports on stderr what makes a result doubtful. False if the two implementations did not compute the same.
bool is_sound(const bench::Result& result) {
    const double most = 1.1 * static_cast<double>(result.threads);
    for (const auto& [name, cpus] : {std::pair("by hand", result.cpus), std::pair("LibTorch", result.torch_cpus)}) {
        if (cpus > most) {
            say("{}: {} kept {:.2f} processors busy with {} {}; the two implementations were not timed alike\n",
                printable(result.recipe), name, cpus, result.threads, result.threads == 1 ? "thread" : "threads");
        }
    }
    if (!result.agree) {
        say("{}: the losses of the two implementations differ by {:.1e}, more than rounding\n",
            printable(result.recipe), result.losses->apart);
        return false;
    }
    const auto wrong = std::ranges::find_if(
        result.peers, [](const bench::PeerResult& peer) { return !(peer.apart <= bench::kApart); });
    if (wrong != result.peers.end()) {
        say("{}: the loss with {} differs by {:.1e}, more than rounding\n", printable(result.recipe), wrong->name,
            wrong->apart);
    }
    return wrong == result.peers.end();
}

// What a report needs, read in this order: what can't be measured is refused before the work.
struct Session {
    const BenchOptions& options;
    ReportFile report{options.report};
    std::vector<BenchRecipe> recipes = recipes_of(options);
    NamesFile names = read_names_aloud("");
    std::optional<bench::Report> earlier = earlier_report(options, recipes, names);
    const torch_ref::Factory* torch = open_torch(options.torch);
    bench::Machine machine = machine_of(torch, options.torch.threads);
    std::vector<peers::Peer> peers = peers_of(options);
    bool sound = true;

    // Writes the report. Returns the exit code: 1 also if something is slower than in the earlier report.
    int finish(Document document) const {
        const bool slower = earlier && bench::add_comparison(document, *earlier);
        report.write(document);
        return !slower && sound ? kFine : kDisagrees;
    }
};

int measure_steps(const BenchOptions& options) {
    Session it{options};
    std::vector<bench::Result> results;
    for (std::size_t i = 0; i < it.recipes.size(); ++i) {
        const BenchRecipe& recipe = it.recipes[i];
        report_progress(recipe.recipe.name, i, it.recipes.size());
        results.push_back(measured(recipe, it.names, it.torch, options, it.peers));
        if (it.torch != nullptr && !options.torch.as_installed && !options.torch.avx2 && !options.no_as_installed) {
            results.back().as_installed = as_installed(recipe.name, options.torch.threads, options.rounds);
        }
        it.sound = is_sound(results.back()) && it.sound;
        look_again(it.machine);
    }
    return it.finish(bench::document_of(it.machine, results));
}

int measure_operations(const BenchOptions& options) {
    Session it{options};
    const std::size_t vocabulary = vocabulary_of(it.names.names).size();
    std::map<std::string, bench::Spread> steps;
    std::vector<bench::OperationTimes> all;
    for (std::size_t i = 0; i < it.recipes.size(); ++i) {
        const Recipe& recipe = it.recipes[i].recipe;
        report_progress(recipe.name, i, it.recipes.size());
        NetworkConfig network = recipe.network;
        network.vocabulary = vocabulary;
        const auto timed = bench::timed_steps(network, recipe.batch);
        for (const std::string& untimed : bench::untimed_operations_of(network, timed)) {
            say("{}: {} is not timed in isolation, only in the whole step\n", printable(recipe.name), untimed);
        }
        for (const bench::KernelOfStep& step : timed) {
            auto& times = all.emplace_back(
                bench::operation_times(step, it.torch, options.rounds, options.torch.threads, it.peers));
            times.recipe = recipe.name;
            std::vector<bench::PeerResult> others = times.peers;
            others.push_back({"LibTorch", times.apart});
            for (const bench::PeerResult& other : others) {
                if (!(other.apart <= bench::kApart)) {
                    say("{}: {} by {} differs by {:.1e}, more than rounding\n", printable(times.recipe), step.name,
                        other.name, other.apart);
                    it.sound = false;
                }
            }
        }
        const Run run = prepare(recipe, it.names, data_path_of(""));
        const bench::StepTimes step = bench::step_times(run, nullptr, options.torch.threads, options.rounds);
        steps.emplace(recipe.name, bench::spread(step.rounds.ours.seconds));
        look_again(it.machine);
    }
    return it.finish(bench::document_of(it.machine, all, steps));
}

int measure_sweep(const BenchOptions& options) {
    const bench::Sweep sweep = bench::sweep_of(options.sweep);
    const std::vector<BenchRecipe> recipes = recipes_of(options);
    if (recipes.size() > 1) {
        throw InputError("--sweep requires a single --recipe");
    }
    const std::optional<TextFile> svg = svg_file(options.svg);
    const NamesFile names = read_names_aloud("");
    const torch_ref::Factory* torch = open_torch(options.torch);
    const std::vector<std::size_t> values = bench::values_of(sweep);
    std::vector<bench::Result> results;
    bool sound = true;
    fmt::print("{}", bench::csv_header());
    for (std::size_t i = 0; i < values.size(); ++i) {
        report_progress(fmt::format("{} {}", bench::name_of(sweep.size), values[i]), i, values.size());
        BenchRecipe one = recipes.front();
        one.recipe = bench::with_size(one.recipe, sweep.size, values[i]);
        results.push_back(measured(one, names, torch, options));
        sound = is_sound(results.back()) && sound;
        fmt::print("{}", bench::csv_line(values[i], results.back()));
        std::fflush(stdout);  // so that a reader of a pipe has each line at once
    }
    if (svg) {
        svg->write(gnuplot(plot_script(recipes.front().recipe.name, sweep, results)).value_or(""));
    }
    return sound ? kFine : kDisagrees;
}

int measure_by_ranks(const BenchOptions& options) {
    const std::vector<BenchRecipe> recipes = recipes_of(options);
    if (recipes.size() > 1) {
        throw InputError("--ranks requires a single --recipe");
    }
    return measure_ranks(options, recipes.front().recipe, recipes.front().changed_norm);
}

int measure(const BenchOptions& options) {
    if (options.torch.avx2) {
        simd::no_wider_than_avx2();
    }
    return !options.ranks.empty()   ? measure_by_ranks(options)
           : !options.sweep.empty() ? measure_sweep(options)
           : options.kernels        ? measure_operations(options)
                                    : measure_steps(options);
}

}  // namespace

void add_bench(const Command& program) {
    const Command command = program.add_command("bench", kBenchAbout);
    const auto options = std::make_shared<BenchOptions>();
    constexpr std::uint64_t kMostThreads = 1024, kMostRounds = 100'000;
    command
        .option("--recipe", options->recipes,
                fmt::format("A shipped recipe or a JSON file; repeatable [{}]", fmt::join(kRecipes, ", ")))
        .completes(shipped_recipes)
        .not_empty();
    const Option threads = command.option("--threads", options->torch.threads, "Threads of each implementation")
                               .whole_number(1, kMostThreads)
                               .shows_default();
    command.option("--rounds", options->rounds, "Rounds, in each of which both implementations are timed")
        .whole_number(1, kMostRounds)
        .shows_default();
    const Option as_installed =
        command.flag("--as-installed", options->torch.as_installed,
                     "Time LibTorch as installed, with the default kernels of OpenBLAS and the default malloc");
    command
        .flag("--no-as-installed", options->no_as_installed,
              "Don't time LibTorch as installed, in a separate process, as well")
        .excludes(as_installed);
    command.flag("--avx2", options->torch.avx2, "Limit all implementations to AVX2 on a CPU with wider vectors")
        .excludes(as_installed);
    const Option kernels =
        command.flag("--kernels", options->kernels,
                     "Time each operation of a step separately, in the recipe's shapes; the products also by Eigen, "
                     "and by LIBXSMM if scripts/setup --bench has installed it");
    const Option compare =
        command
            .option("--compare", options->compare,
                    "Compare with this earlier report of --json on the same machine; exit code 1 if a step is slower")
            .not_empty();
    const std::vector<Option> report = add_report_options(command, options->report);
    Option sweep = command
                       .option("--sweep", options->sweep,
                               "Double a size over a range, as hidden=16..4096, and print CSV; the sizes are hidden, "
                               "batch, embedding and context")
                       .not_empty()
                       .excludes(kernels)
                       .excludes(compare);
    for (const Option& option : report) {
        sweep.excludes(option);
    }
    const Option svg = command.option("--svg", options->svg, "Write a plot of the sweep to this file, as SVG")
                           .not_empty()
                           .needs(sweep);
    const Option ranks = command
                             .option("--ranks", options->ranks,
                                     "Time the step by each of these numbers of processes of this machine, as 1,2,4 "
                                     "[bigbatch]; needs LibTorch")
                             .list()
                             .whole_number(1, kMostRanks)
                             .excludes(kernels)
                             .excludes(compare)
                             .excludes(threads)
                             .excludes(as_installed)
                             .excludes(svg);
    add_part_options(command, options->rank_options);
    command.option_named("--parts").needs(ranks);
    command.option_named("--rank-timeout").needs(ranks);
    command.on_run([options] { return measure(*options); });
}

}  // namespace byhand::cli

int main(int argc, char** argv) {
    return byhand::cli::run_command_program("bench", argc, argv, byhand::cli::add_bench);
}
