#include "lab/conventions/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "judge/finding.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kUnits = kDeviations.size();
constexpr std::array<double, kUnits> kMeans = {1, -4, 40};  // true ones
const std::vector<double> kGain = {0.5, 2, -1.5}, kBias = {0.25, -1, 3};

Batches batches_of(const ConventionsOptions& options) {
    TorchGenerator g = torch_seeded(options.seed);
    Batches batches(options.batches, {{{"bngain", kGain}, {"bnbias", kBias}}});
    std::vector<float> drawn(options.rows * kUnits);
    for (Numbers<double>& batch : batches) {
        randn(g, drawn);
        for (std::size_t at = 0; at < drawn.size(); ++at) {
            const std::size_t j = at % kUnits;
            // Numbers of float: so float and double begin with the same.
            batch["hprebn"].push_back(
                static_cast<double>(static_cast<float>(kMeans[j] + kDeviations[j] * static_cast<double>(drawn[at]))));
        }
        randn(g, drawn);
        batch["dhpreact"] = as<double>(drawn);
    }
    return batches;
}

ConventionStudy study_of(std::vector<Convention> conventions, Batches batches) {
    std::vector<ConventionRun<double>> runs(conventions.size());
    std::ranges::transform(conventions, runs.begin(),
                           [&](const Convention& one) { return run_convention(one, batches); });
    return {std::move(conventions), std::move(batches), std::move(runs)};
}

// ---- what differs ----

void add_definitions(Document& document, const std::vector<Convention>& all) {
    Table batch{"in training, forward and backward", {"", "divisor", "ε"}, {}};
    Table running{"for evaluation", {"", "divisor", "kept as", "begins at", "momentum", "goes by"}, {}};
    for (const Convention& one : all) {
        const NormConfig& norm = one.norm;
        const auto divisor = [](Divisor which) { return which == Divisor::n ? "n" : "n − 1"; };
        const auto key = [](Divisor which) { return which == Divisor::n ? "n" : "n-1"; };
        const char* kept_as = norm.running_spread == RunningSpread::variance ? "variance" : "deviation";
        const bool by_all = norm.evaluation == EvaluationFigures::training_set;
        const bool inside = norm.epsilon_place == EpsilonPlace::inside;
        batch.rows.push_back(
            {one.name, divisor(norm.batch_divisor),
             norm.epsilon == 0 ? "none" : fmt::format("{:g} {}", norm.epsilon, inside ? "in √" : "+ σ")});
        running.rows.push_back({one.name, divisor(norm.running_divisor), kept_as,
                                by_all ? Cell("") : significant(one.first_spread, 1), one.momentum_says,
                                by_all ? "all rows" : "running"});
        document.data["conventions"].push_back({{"name", one.name},
                                                {"batch_divisor", key(norm.batch_divisor)},
                                                {"running_divisor", key(norm.running_divisor)},
                                                {"running", kept_as},
                                                {"begins_at", one.first_spread},
                                                {"momentum", one.momentum_says},
                                                {"weight_of_new", norm.momentum},
                                                {"epsilon", norm.epsilon},
                                                {"epsilon_place", inside ? "inside" : "outside"},
                                                {"evaluation", by_all ? "training-set" : "running"},
                                                {"sources", one.sources}});
    }
    document.blocks.emplace_back(std::move(batch));
    document.blocks.emplace_back(std::move(running));
}

// ---- by how much ----

// The largest |a − b| of a unit over its largest |b|.
double largest_share(const std::vector<double>& a, const std::vector<double>& b) {
    double share = 0;
    for (std::size_t j = 0; j < kUnits; ++j) {
        double difference = 0, size = 0;
        for (std::size_t at = j; at < a.size(); at += kUnits) {
            difference = std::max(difference, std::abs(a[at] - b[at]));
            size = std::max(size, std::abs(b[at]));
        }
        share = std::max(share, difference / size);
    }
    return share;
}

// A row for each convention; for each part of its run the largest difference from PyTorch's, as it is and as a share.
Table differences_from(const ConventionStudy& pytorch, const ConventionStudy& others, const char* name_key) {
    Table table{"", {{"", name_key}}, {}};
    for (const auto& [title, key] : {std::pair{"forward", "forward"},
                                     {"backward", "backward"},
                                     {"run. mean", "running_mean"},
                                     {"run. var.", "running_variance"},
                                     {"evaluation", "evaluation"}}) {
        table.columns.emplace_back(title, std::string("differences.") + key);
        table.columns.emplace_back(title, std::string("shares.") + key);
    }
    const auto parts = [](const ConventionStudy& of, std::size_t i) {
        const ConventionRun<double>& run = of.runs[i];
        return std::array{run.y, run.dx, run.running_mean, as_variances(of.conventions[i], run.running_spread),
                          run.evaluated};
    };
    const auto right = parts(pytorch, 0);
    for (std::size_t i = 0; i < others.runs.size(); ++i) {
        const auto own = parts(others, i);
        std::vector<Cell>& row = table.rows.emplace_back(1, others.conventions[i].name);
        for (std::size_t part = 0; part < own.size(); ++part) {
            row.push_back(significant(largest_difference(own[part], right[part]), 2));
            row.push_back(percent(largest_share(own[part], right[part])));
        }
    }
    return table;
}

Table shares_of(const Table& table, const std::string& title) {
    Table shares = columns_of(table, {table.columns.front().key, "shares.forward", "shares.backward",
                                      "shares.running_mean", "shares.running_variance", "shares.evaluation"});
    shares.title = title;
    return shares;
}

// PyTorch's with one thing changed.
std::vector<Convention> single_changes(const Convention& pytorch) {
    const auto with = [&](const char* name, auto change) {
        Convention changed = pytorch;
        changed.name = name;
        change(changed);
        return changed;
    };
    return {with("n − 1 in the batch", [](Convention& c) { c.norm.batch_divisor = Divisor::n_minus_1; }),
            with("n in running statistics", [](Convention& c) { c.norm.running_divisor = Divisor::n; }),
            with("running deviation", [](Convention& c) { c.norm.running_spread = RunningSpread::deviation; }),
            with("running variance from 0", [](Convention& c) { c.first_spread = 0; }),
            with("0.001 of the new", [](Convention& c) { c.norm.momentum = 0.001; }),
            with("ε = 1e-3", [](Convention& c) { c.norm.epsilon = 1e-3; }),
            with("ε outside the root", [](Convention& c) { c.norm.epsilon_place = EpsilonPlace::outside; })};
}

Table add_differences(Document& document, const ConventionStudy& study) {
    Table table = differences_from(study, study, "name");
    Json& data = document.data["conventions"];
    const Json rows = json_of_rows(table);
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        data[i].update(rows[i]);
        data[i]["running_mean"] = study.runs[i].running_mean;
        data[i]["running_variance"] = as_variances(study.conventions[i], study.runs[i].running_spread);
    }
    document.blocks.emplace_back(
        shares_of(table, "largest difference from PyTorch's, as a share of the unit's largest"));
    return table;
}

Table add_single_changes(Document& document, const ConventionStudy& study) {
    const ConventionStudy changed = study_of(single_changes(study.conventions.front()), study.batches);
    Table table = differences_from(study, changed, "changed");
    document.data["one_change"] = json_of_rows(table);
    document.blocks.emplace_back(shares_of(table, "PyTorch's with one thing changed: shares, as above"));
    return table;
}

// The row with the largest share in that column: "7.4 % (its name)".
std::string furthest(const Table& table, const std::string& part) {
    const std::vector<double> all = numbers(table, "shares." + part);
    const auto largest = std::ranges::max_element(all);
    return fmt::format("{:.1f} % ({})", 100 * *largest,
                       table.rows[static_cast<std::size_t>(largest - all.begin())].front().shown);
}

// Adds the values at which the running statistics settle, by the rows of a batch.
void add_small_batches(Document& document, std::uint64_t seed) {
    constexpr std::size_t kBatches = 4000;
    Study study = small_batches({2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128}, kBatches, seed);
    document.blocks.emplace_back(
        Text{"Within a batch n or n − 1 is a constant factor, √(n/(n − 1)), which γ absorbs; in evaluation the running "
             "statistic has to settle at the true variance:"});
    add(document, {std::move(study)});
}

}  // namespace

Study small_batches(const std::vector<double>& sizes, std::size_t batches, std::uint64_t seed) {
    Study study{.key = "small_batches",
                .title = "a running statistic over the true variance",
                .arms = {"variance, n", "variance, n − 1", "deviation, n − 1"},
                .measure = "settles at",
                .varied = "rows of a batch",
                .values = sizes};
    std::vector<std::vector<double>> by_size;  // of each size one figure for each arm
    TorchGenerator g = torch_seeded(seed);
    for (const double size : sizes) {
        const auto rows = static_cast<std::size_t>(size);
        std::vector<float> drawn(rows * batches);
        randn(g, drawn);
        Numbers<double> in{{{"hprebn", as<double>(drawn)}}};
        const auto variances = [&](Divisor divisor) {  // a batch is a column
            run(operation_graph(op::kBatchnorm, {.affine = false, .batch_divisor = divisor}, rows, batches).forward,
                in);
            return in["bnvar"];
        };
        const std::vector<double> by_n = variances(Divisor::n), spread = variances(Divisor::n_minus_1);
        const double deviation = mean_and_deviation(figures_of(spread, [](double one) { return std::sqrt(one); })).mean;
        by_size.push_back({mean_and_deviation(by_n).mean, mean_and_deviation(spread).mean, deviation * deviation});
    }
    return filled(std::move(study),
                  [&](std::size_t arm, std::size_t value, std::size_t) { return by_size[value][arm]; });
}

Experiment conventions_experiment() {
    const auto prepare = [] {
        return prepared<ConventionsOptions>(
            [](ConventionsOptions& options) -> std::vector<OwnOption> {
                constexpr double kMost = 100'000;
                return {{"--rows", "Rows of a batch", &options.rows, 2, kMost},
                        {"--batches", "Number of batches", &options.batches, 1, kMost},
                        {"--seed", "Seed of the generator", &options.seed, 0}};
            },
            conventions);
    };
    return {.name = "conventions",
            .note = "notes 1 to 5",
            .about = "The notes, PyTorch, Keras, lectures, cs231n",
            .prepare = prepare};
}

Document conventions(const ConventionsOptions& options, const Setup& setup) {
    if (options.rows < 2 || options.batches == 0) {
        throw InputError("conventions takes at least 2 rows in a batch, and at least one batch");
    }
    const ConventionStudy study = study_of(conventions_of_the_field(), batches_of(options));
    Document document{"lab conventions", "notes 1 to 5", "One name, several batch norms", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{fmt::format("{} batches of {} rows through 3 units, whose true deviations are 0.05, 2 and 30, by batch "
                         "norm as the notes and the field define it. All use the same functions; only their "
                         "conventions differ.",
                         options.batches, options.rows)});
    document.blocks.emplace_back(Formulas{{"batchnorm_variance", "batchnorm_inverse_deviation", "running_mean_update",
                                           "running_spread_update", "batchnorm_evaluate_raw"}});
    add_definitions(document, study.conventions);
    const Table differences = add_differences(document, study), changes = add_single_changes(document, study);
    if (setup.setting.torch != nullptr) {
        compare_with_torch(document, study, *setup.setting.torch);
    }
    add_small_batches(document, options.seed);
    std::string furthest_parts;
    for (const auto& [what, table] :
         {std::pair{"Furthest from PyTorch's, as a share of a unit's largest value", &differences},
          {"The largest of the single changes", &changes}}) {
        furthest_parts +=
            fmt::format(" {}: forward {}, backward {}, in evaluation {}.", what, furthest(*table, "forward"),
                        furthest(*table, "backward"), furthest(*table, "evaluation"));
    }
    document.blocks.emplace_back(as_conclusion("So batch norm is not one function." + furthest_parts));
    return document;
}

}  // namespace byhand::lab
