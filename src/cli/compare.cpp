#include "documents/compare.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "byhand/verdict.h"
#include "checks/candidates.h"
#include "checks/files/external_file.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/compare_parts.h"
#include "cli/modules.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "compare/compare.h"
#include "fast/models.h"
#include "harness/end_to_end/comparison.h"
#include "manual/formulas.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "ranks/connect.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

constexpr const char* kEveryTensor = "*";

struct CompareOptions {
    NetworkOptions network;
    std::vector<std::string> models = {"stepwise"};
    std::size_t steps = 1;
    std::size_t every = 1;
    std::size_t from = 0;
    bool drift = false;
    std::vector<std::string> allow;
    bool verbose = false;
    ReportOptions report;
    std::string tensor = kEveryTensor;
    OutputPath dump;
    std::string plant;
    InputPath external;
    bool quick = false;
    RankOptions ranks;
};

// Null without the module fast.
constexpr MakeCandidate kFusedCandidate = [] {
    if constexpr (kHasFast) {
        return fused_candidate;
    } else {
        return nullptr;
    }
}();

// What is compared: external values where they are given.
Candidates candidates_for(const CompareOptions& options, std::optional<ExternalValues> external,
                          const std::vector<std::string>& models, const Run& run, Reference& reference,
                          std::optional<ModelsInRanks>& parts) {
    Candidates candidates;
    if constexpr (kHasChecks) {
        if (external) {
            candidates.push_back(
                external_candidate(std::make_unique<ExternalModel>(std::move(*external), options.external), reference));
            return candidates;
        }
    }
    if constexpr (kHasRanks) {
        if (parts) {
            return candidates_in_ranks(*parts, reference);
        }
    }
    candidates = hand_candidates(models, reference, kFusedCandidate);
    if constexpr (kHasChecks) {
        const auto stepwise = std::ranges::find(models, "stepwise");
        if (!options.plant.empty() && stepwise != models.end()) {
            candidates[static_cast<std::size_t>(stepwise - models.begin())] = planted(options.plant, run, reference);
        }
    }
    return candidates;
}

// The command that compares only this tensor of this step, as it was compared here.
std::string command_for(const CompareOptions& options, const Command& command, const Recipe& recipe,
                        const Summary& summary) {
    const bool external = !options.external.empty();
    const std::string& model = summary.first_divergence_model;
    const std::size_t step = summary.first_divergence_step.value_or(0);
    const auto where = [](bool wanted, const std::string& value) {
        return wanted ? std::optional(value) : std::nullopt;
    };
    const Overrides changed = {{"--recipe", options.network.recipe.path},
                               {"--seed", std::to_string(recipe.seed)},
                               {"--model", where(model != "stepwise" && !external, model)},
                               {"--steps", std::to_string(step + 1)},
                               {"--from", where(step > 0 && !external, std::to_string(step))},
                               {"--every", std::nullopt},
                               {"--tensor", std::nullopt},
                               {"--format", std::nullopt},
                               {"--output", std::nullopt},
                               {"--dump", std::nullopt}};
    const std::string tensor =
        summary.culprits.empty() ? summary.first_divergence.value_or("*") : summary.culprits.front().name;
    return "byhand compare" + command.replay(changed) + " --tensor " + quoted(tensor);
}

std::set<Verdict> allowed_by(const CompareOptions& options) {
    std::set<Verdict> allowed;
    std::ranges::copy_if(kShowNothing, std::inserter(allowed, allowed.end()), [&](Verdict verdict) {
        return std::ranges::find(options.allow, to_string(verdict)) != options.allow.end();
    });
    return allowed;
}

// What the report is about, besides the figures.
Presentation presentation_of(const CompareOptions& options, const Command& command, const Run& run,
                             const Reference& reference, const std::string& torch_version) {
    const Overrides without_files = {
        {"--format", std::nullopt}, {"--json", std::nullopt}, {"--output", std::nullopt}, {"--dump", std::nullopt}};
    const bool external = !options.external.empty();
    return {.subject = external ? std::string(options.external) : fmt::format("{}", fmt::join(options.models, ", ")),
            .planted = options.plant.empty() ? nullptr : &mistake_named(options.plant),
            .command = "byhand compare" + command.replay(without_files),
            .recipe = run.recipe.name,
            .seed = run.recipe.seed,
            .rows = run.recipe.batch,
            .torch_version = torch_version,
            .network = run.recipe.network,
            .glossary = reference.chain.graph.glossary,
            .characters = printable_characters(run.vocabulary),
            .source = source_of,
            .shows = [&](const std::string& name) { return matches(options.tensor, name); },
            .whose = external ? Whose::given : Whose::by_hand};
}

// A mistake that can be planted in the network; null if there is none.
const Mistake* mistake_for(const Graph& network) {
    const auto applies = [&](const Mistake& mistake) {
        Graph copy = network;
        return mistake.plant != nullptr && !mistake.plant(copy).empty();
    };
    const KnownMistakes all = known_mistakes();
    const auto known = std::ranges::find(all, "dvar-path-forgotten", &Mistake::name);
    if (known != all.end() && applies(*known)) {
        return &*known;
    }
    const auto other = std::ranges::find_if(all, applies);
    return other != all.end() ? &*other : nullptr;
}

// What to do next, for the file, the network and the result. `lists_all`: the report has all that --verbose adds.
Text next_text(const CompareOptions& options, const Command& command, const Graph& network, const Summary& summary,
               const Recipe& recipe, bool lists_all) {
    const std::string same = command.replay_group(kNetworkGroup);
    if (!summary.agree) {
        const std::string name =
            summary.culprits.empty() ? summary.first_divergence.value_or("") : summary.culprits.front().name;
        const bool may_change = !options.external.empty() && !name.empty();
        return {
            .words = fmt::format("next: {}repeat only this comparison{}:", may_change ? "fix " + name + " and " : "",
                                 lists_all ? "" : " (--verbose lists every value)"),
            .code = "  " + command_for(options, command, recipe, summary)};
    }
    std::string next = lists_all ? "" : "list every value by --verbose, ";
    if (!options.external.empty()) {
        return {
            .words = fmt::format("next: {}{}check functions, not only their results:", next, next.empty() ? "" : "or "),
            .code = "  byhand exercise" + same};
    }
    const Mistake* mistake = mistake_for(network);
    const std::string plant =
        mistake != nullptr ? fmt::format("  byhand compare{} --plant {}\n", same, mistake->name) : "";
    next += mistake != nullptr ? "plant a mistake, " : "";
    return {.words = fmt::format("next: {}{}train:", next, next.empty() ? "" : "or "),
            .code = plant + "  byhand train" + same};
}

// The run, in the parts of its batches. Throws InputError for what can't be compared in parts.
Run run_to_compare(const CompareOptions& options, const distributed::World& world) {
    if (world.size > 1 && !options.external.empty()) {
        throw InputError("--mine is compared by one process, but the environment describes several ranks");
    }
    Run run = run_of(options.network);
    run.recipe = with_parts(std::move(run.recipe), options.ranks, world);
    return run;
}

// Whether the step has a finding on a tensor that --tensor shows.
bool shows_a_finding(const CompareOptions& options, const ComparedStep& step) {
    return std::ranges::any_of(findings(step),
                               [&](const ChainFinding& found) { return matches(options.tensor, found.value.name); });
}

// Throws InputError if --tensor matches no tensor of the network.
void check_tensor(const CompareOptions& options, const Graph& graph) {
    std::set<std::string> names = made_by(graph);
    for (const TensorSpec& spec : state(graph.config)) {
        names.insert(spec.name);
    }
    if (std::ranges::none_of(names, [&](const std::string& name) { return matches(options.tensor, name); })) {
        throw InputError(fmt::format("--tensor: no tensor matches {}{} (byhand explain lists them)", options.tensor,
                                     the_nearest(options.tensor, {names.begin(), names.end()})));
    }
}

// LibTorch, which takes half a second. A rank but the first has one thread for it.
const torch_ref::Factory& load_torch(const distributed::World& world) {
    torch_ref::Opening opening;
    opening.threads = world.rank > 0 ? std::optional<std::size_t>(1) : std::nullopt;
    return torch_ref::load(opening);
}

// What the modules checks and ranks add, where they are built.

std::optional<ExternalValues> external_of(const CompareOptions& options, const NetworkConfig& network,
                                          std::size_t rows) {
    if constexpr (kHasChecks) {
        return options.external.empty() ? std::nullopt
                                        : std::optional(external_values(options.external, network, rows));
    }
    return std::nullopt;
}

std::optional<ModelsInRanks> parts_of(const CompareOptions& options, const std::vector<std::string>& models,
                                      const Run& run, const distributed::World& world,
                                      const torch_ref::Factory& torch) {
    if constexpr (kHasRanks) {
        if ((run.recipe.parts > 1 || world.size > 1) && options.external.empty()) {
            return models_in_ranks(models, options.plant, run, world, options.ranks.timeout, torch);
        }
    }
    return std::nullopt;
}

std::vector<RankSummary> ranks_of(const std::optional<ModelsInRanks>& parts) {
    if constexpr (kHasRanks) {
        return parts ? summaries_of(*parts) : std::vector<RankSummary>();
    }
    return {};
}

// Before the work, so that a dump that can't be written is refused at once.
void check_dump(const CompareOptions& options) {
    if constexpr (kHasChecks) {
        if (!options.dump.empty()) {
            check_external(options.dump);
        }
    }
}

// Values from a file are those of the last step.
Schedule schedule_of(const CompareOptions& options, bool with_pictures) {
    const bool only_last = !options.external.empty();
    return {.steps = options.steps,
            .every = only_last ? options.steps : options.every,
            .from = only_last ? options.steps : options.from,
            .drift = options.drift,
            .pictures = with_pictures,
            .mistakes = known_mistakes()};
}

ShownRows rows_of(const CompareOptions& options, const ReportFile& report) {
    return report.format() != "table"                          ? ShownRows::for_programs
           : options.verbose || options.tensor != kEveryTensor ? ShownRows::all
                                                               : ShownRows::disagreeing;
}

// The report and the dump; and the verdict, if the report is a file.
void write_results(const CompareOptions& options, const Command& command, const ReportFile& report, const Run& run,
                   const Comparison& found, const std::string& torch_version) {
    const Graph& graph = found.reference->chain.graph;
    const bool as_page = report.format() == "html";
    const Presentation how = presentation_of(options, command, run, *found.reference, torch_version);
    const Text next = next_text(options, command, graph, found.summary, run.recipe, as_page || options.verbose);
    report.write(as_page ? compare_page(how, found.summary, found.steps, graph, next)
                         : compare_document(how, found.summary, found.steps, rows_of(options, report), next),
                 conclusion(found.summary));
    say_if_quick(options.quick);
    if constexpr (kHasChecks) {
        if (!options.dump.empty()) {
            write_dump(options.dump, run, found.batch, options.steps - 1, found.candidates,
                       found.reference->implementations);
        }
    }
}

int compare(const CompareOptions& options, const Command& command, const distributed::World& world) {
    if (!options.plant.empty() && std::ranges::find(options.models, "stepwise") == options.models.end()) {
        throw InputError("a mistake is planted in the stepwise network: --plant needs --model stepwise");
    }
    check_dump(options);
    const ReportFile report(options.report);
    Run run = run_to_compare(options, world);
    check_memory(run.recipe.network, run.recipe.batch, kBytesOfCompare);
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    check_tensor(options, stepwise_graph(network, rows));
    std::optional<ExternalValues> external = external_of(options, network, rows);
    const std::vector<std::string> models = distinct(options.models);
    const torch_ref::Factory& torch = load_torch(world);
    std::optional<ModelsInRanks> parts = parts_of(options, models, run, world, torch);
    if constexpr (kHasRanks) {
        if (world.rank > 0) {
            follow_first(parts->models, *parts->group, run);
            return kFine;
        }
    }

    if (std::ranges::find(models, "fused") != models.end()) {
        say_if_step_by_step(run.recipe);
    }
    Progress progress(options.steps, std::nullopt, "comparing");
    bool shows_any = false;
    const auto compared = [&](const ComparedStep& step, Comparison& so_far) {
        progress.finish();
        so_far.summary.ranks = ranks_of(parts);
        shows_any = shows_any || shows_a_finding(options, step);
        if (report.format() == "html") {
            drop_pictures(so_far.steps, so_far.summary.allowed);
        }
    };
    const auto make_candidates = [&](Reference& reference) {
        return candidates_for(options, std::move(external), models, run, reference, parts);
    };
    const Comparison found = byhand::compare(run, torch, make_candidates,
                                             {.schedule = schedule_of(options, report.format() == "html"),
                                              .quick = options.quick,
                                              .allowed = allowed_by(options),
                                              .keeps_every_step = rows_of(options, report) != ShownRows::disagreeing,
                                              .begins = [&](std::size_t step) { progress.step(step); },
                                              .compared = compared});
    progress.finish();
    write_results(options, command, report, run, found, torch.version());
    if (!shows_any) {
        say("--tensor: no tensor that was compared matches {}\n", printable(options.tensor));
    }
    return found.summary.agree ? kFine : kDisagrees;
}

// Starts the ranks of --ranks, when it is sure that none of them refuses the run.
int compare_by_ranks(const CompareOptions& options) {
    if constexpr (kHasRanks) {
        distributed::check_module();
        distributed::World world;
        world.size = *options.ranks.ranks;
        const Run run = run_to_compare(options, world);
        check_tensor(options, stepwise_graph(run.recipe.network, run.recipe.batch));
        plan_for(run, world, options.plant);
        return run_ranks(world.size, command_line()).code;
    }
    return kFine;  // never called
}

}  // namespace

void add_compare(const Command& program) {
    const Command command =
        program.add_command("compare", "Compare every value and gradient with LibTorch's, over real batches");
    const auto options = std::make_shared<CompareOptions>();
    add_network_options(command, options->network);
    std::vector<std::string> models = {"stepwise", "collapsed"};
    if (kHasFast) {
        models.emplace_back("fused");
    }
    command
        .option("--model", options->models,
                fmt::format("Hand-written networks to compare: {}", fmt::join(models, ", ")))
        .list()
        .one_of(models)
        .shows_default();
    command.option("--steps", options->steps, "Training steps to take").whole_number(1, kMostSteps).shows_default();
    command.option("--every", options->every, "Compare each K-th step, and the last")
        .whole_number(1, kMostSteps)
        .shows_default();
    command.option("--from", options->from, "Compare no step before this one, but for the last")
        .whole_number(0, kMostSteps)
        .shows_default();
    command.flag("--drift", options->drift,
                 "Let each implementation go on with its own parameters; otherwise all begin a step with LibTorch's");
    command.option("--allow", options->allow, "Also accept these verdicts: vacuous, out-of-range")
        .list()
        .one_of({"vacuous", "out-of-range"});
    add_report_options(command, options->report, Judged::yes);
    command.flag("--verbose", options->verbose,
                 "List every tensor and step in the table, not only what disagrees or is nearest to its limit");
    command.option("--tensor", options->tensor, "List only tensors whose name matches, such as 'd*'; all are compared")
        .completes(value_names)
        .shows_default();
    if (kHasChecks) {
        command
            .option("--plant", options->plant, "Plant this mistake in the stepwise network; byhand mistakes lists them")
            .completes(mistake_names)
            .not_empty();
        command
            .option(
                "--mine", options->external,
                "Judge the tensors in this file (.safetensors, .npz, .npy; dW1, dC, ...), computed from a --dump of "
                "this run's last step")
            .not_empty();
    }
    add_quick(command, options->quick);
    if (kHasChecks) {
        command.option("--dump", options->dump, "Write every value of the last step there (.safetensors, .npz)")
            .not_empty();
    }
    if (kHasRanks) {
        add_rank_options(
            command, options->ranks,
            "Compare the networks on N processes of this machine, or on the N that a launcher started; also "
            "hold each to one process, to the bit, and LibTorch's module to the same parts");
    }
    if (kHasChecks) {
        // The file holds one step of one network.
        Option external = command.option_named("--mine");
        for (const char* other : {"--model", "--every", "--from", "--drift", "--plant"}) {
            external.excludes(command.option_named(other));
        }
        for (const char* other : {"--ranks", "--parts"}) {
            if (kHasRanks) {
                external.excludes(command.option_named(other));
            }
        }
    }
    command.on_run([options, command] {
        return as_rank(
            options->ranks, [&](const distributed::World& world) { return compare(*options, command, world); },
            [&](const distributed::World&) { return compare_by_ranks(*options); });
    });
}

}  // namespace byhand::cli
