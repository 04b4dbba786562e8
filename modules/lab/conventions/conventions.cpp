// The same batches through batch norm as the field defines it: what differs between the definitions, and by how much.
#include "lab/conventions/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "judge/finding.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "names/random.h"
#include "torch_ref/torch_ref.h"

namespace byhand::lab {
namespace {

// The units' true deviations: the first is so narrow that ε counts, the last is wide.
constexpr std::array<double, 3> kDeviations = {0.05, 2, 30}, kMeans = {1, -4, 40};
constexpr std::size_t kUnits = kDeviations.size();
const std::vector<double> kGain = {0.5, 2, -1.5}, kBias = {0.25, -1, 3};

using Batches = std::vector<Tensors<double>>;

struct ConventionStudy {
    std::vector<Convention> conventions;  // PyTorch's first
    Batches batches;
    std::vector<ConventionRun<double>> runs;  // of each convention
};

// ---- runs ----

// make(batch) adds the values of a batch norm: by the steps by hand, or by LibTorch.
template <class T, class Make>
ConventionRun<T> run_by(Make make, const Convention& convention, const std::vector<Tensors<T>>& batches) {
    const bool by_all = convention.norm.evaluation == EvaluationFigures::training_set;
    const std::size_t H = batches.front()["bngain"].size();
    ConventionRun<T> run;
    run.running_mean.assign(H, T(0));
    run.running_spread.assign(H, T(convention.first_spread));
    const auto made_of = [&](Tensors<T> batch) {
        batch.put({"bnmean_running", {H}}, run.running_mean);
        batch.put({"bnvar_running", {H}}, run.running_spread);
        make(batch);
        return batch;
    };
    const auto update = [&](const Tensors<T>& made) {
        run.running_mean = made.copy_of("new_bnmean_running");
        run.running_spread = made.copy_of("new_bnvar_running");
    };
    std::vector<T> x, dy;  // of all batches
    for (const Tensors<T>& batch : batches) {
        const Tensors<T> made = made_of(batch);
        std::ranges::copy(made["hpreact"], std::back_inserter(run.y));
        std::ranges::copy(made["dhprebn"], std::back_inserter(run.dx));
        if (by_all) {
            std::ranges::copy(batch["hprebn"], std::back_inserter(x));
            std::ranges::copy(batch["dhpreact"], std::back_inserter(dy));
        } else {
            update(made);
        }
    }
    if (by_all) {
        Tensors<T> all = batches.front();
        all.put({"hprebn", {x.size() / H, H}}, x);
        all.put({"dhpreact", {x.size() / H, H}}, dy);
        update(made_of(std::move(all)));
    }
    run.evaluated = made_of(batches.back()).copy_of("eval_hpreact");
    return run;
}

ConventionRun<double> run_by_torch(const Convention& convention, const Batches& batches,
                                   const torch_ref::Factory& torch) {
    const auto make = [&](Tensors<double>& batch) {
        const auto [n, H] = shape_of(batch);
        const auto operations = torch.single_operation(op::kBatchnorm, convention.norm, n, H);
        for (const auto& [name, shape] : {TensorSpec{"hpreact", {n, H}},
                                          {"dhprebn", {n, H}},
                                          {"new_bnmean_running", {H}},
                                          {"new_bnvar_running", {H}},
                                          {"eval_hpreact", {n, H}}}) {
            batch.put({name, shape}, evaluate(*operations, name, batch));
        }
    };
    return run_by(make, convention, batches);
}

// All its numbers, one after another.
template <class T>
std::vector<T> numbers_of(const ConventionRun<T>& run) {
    std::vector<T> all;
    for (const std::vector<T>* part : {&run.y, &run.dx, &run.running_mean, &run.running_spread, &run.evaluated}) {
        std::ranges::copy(*part, std::back_inserter(all));
    }
    return all;
}

// The running statistics of spread as variances, whatever they are kept as.
std::vector<double> as_variances(const Convention& convention, std::vector<double> spread) {
    if (convention.norm.running_spread == RunningSpread::deviation) {
        std::ranges::transform(spread, spread.begin(), [](double each) { return each * each; });
    }
    return spread;
}

void compare_with_torch(Document& document, const ConventionStudy& study, const torch_ref::Factory& torch) {
    std::vector<Tensors<float>> floats(study.batches.size());
    std::vector<Tensors<Rounded>> bounds(study.batches.size());
    std::ranges::transform(study.batches, floats.begin(), [](const auto& one) { return Tensors<float>(one); });
    std::ranges::transform(study.batches, bounds.begin(), [](const auto& one) { return Tensors<Rounded>(one); });
    std::vector<Agreement> agreements;
    agreements.reserve(study.conventions.size());
    for (const Convention& one : study.conventions) {
        agreements.push_back(agreement(one.name, numbers_of(run_convention(one, floats)),
                                       numbers_of(run_convention(one, bounds)),
                                       numbers_of(run_by_torch(one, study.batches, torch))));
    }
    add_agreements(document, "y, dx, running statistics and evaluation: float by hand against LibTorch in double",
                   agreements);
}

Batches batches_of(const ConventionsOptions& options) {
    TorchGenerator g = torch_seeded(options.seed);
    Batches batches;
    std::vector<float> drawn(options.rows * kUnits);
    for (std::size_t i = 0; i < options.batches; ++i) {
        std::vector<double> x;
        randn(g, drawn);
        for (std::size_t at = 0; at < drawn.size(); ++at) {
            const std::size_t j = at % kUnits;
            // Numbers of float: so float and double begin with the same.
            x.push_back(
                static_cast<double>(static_cast<float>(kMeans[j] + kDeviations[j] * static_cast<double>(drawn[at]))));
        }
        randn(g, drawn);
        batches.push_back(batchnorm_inputs(x, as<double>(drawn), kGain, kBias));
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
    const auto key = [](Divisor which) { return which == Divisor::n ? "n" : "n-1"; };
    const auto divisor = [](Divisor which) { return which == Divisor::n ? "n" : "n − 1"; };
    Table table{"", {"", "divisor", "ε", "for evaluation", "momentum"}, {}};
    for (const Convention& one : all) {
        const NormConfig& norm = one.norm;
        const char* kept_as = norm.running_spread == RunningSpread::variance ? "variance" : "deviation";
        const bool by_all = norm.evaluation == EvaluationFigures::training_set;
        const bool inside = norm.epsilon_place == EpsilonPlace::inside;
        table.rows.push_back(
            {one.name, divisor(norm.batch_divisor),
             norm.epsilon == 0 ? "none" : fmt::format("{:g} {}", norm.epsilon, inside ? "in √" : "+ σ"),
             by_all ? "of all rows" : fmt::format("{}, {}", kept_as, divisor(norm.running_divisor)),
             one.momentum_says});
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
    document.blocks.emplace_back(std::move(table));
}

// ---- by how much ----

// The largest |a − b| of a unit over its largest |b|.
double largest_share(const std::vector<double>& a, const std::vector<double>& b) {
    double most = 0;
    for (std::size_t j = 0; j < kUnits; ++j) {
        double difference = 0, size = 0;
        for (std::size_t at = j; at < a.size(); at += kUnits) {
            difference = larger(difference, std::abs(a[at] - b[at]));
            size = larger(size, std::abs(b[at]));
        }
        most = larger(most, difference / size);
    }
    return most;
}

// A row for each convention; for each part of its run the largest difference from PyTorch's, for programs as it is, and
// as a share.
Table differences_from(const ConventionStudy& pytorch, const ConventionStudy& others, const char* name_key,
                       const std::string& title) {
    Table table{title, {{"", name_key}}, {}};
    for (const auto& [head, key] : {std::pair{"forward", "forward"},
                                    {"backward", "backward"},
                                    {"run. mean", "running_mean"},
                                    {"run. var.", "running_variance"},
                                    {"evaluation", "evaluation"}}) {
        table.columns.emplace_back("", std::string("differences.") + key, Align::hidden);
        table.columns.emplace_back(head, std::string("shares.") + key);
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

// The row with the largest share in that column: "7.4 % (its name)".
std::string furthest(const Table& table, const std::string& part) {
    const std::vector<double> all = numbers_of_column(table, "shares." + part);
    const auto largest = std::ranges::max_element(all, [](double a, double b) { return !std::isnan(a) && !(b <= a); });
    return fmt::format("{:.1f} % ({})", 100 * *largest,
                       table.rows[static_cast<std::size_t>(largest - all.begin())].front().shown);
}

}  // namespace

template <class T>
ConventionRun<T> run_convention(const Convention& convention, const std::vector<Tensors<T>>& batches) {
    Graph graph;
    const auto make = [&](Tensors<T>& batch) {
        const auto [n, H] = shape_of(batch);
        if (graph.rows != n) {
            graph = operation_graph(op::kBatchnorm, convention.norm, n, H);
        }
        run(graph.forward, batch);
        run(graph.backward, batch);
        run(graph.update, batch);
        run(graph.evaluation, batch);
    };
    return run_by(make, convention, batches);
}
template ConventionRun<float> run_convention(const Convention&, const std::vector<Tensors<float>>&);
template ConventionRun<double> run_convention(const Convention&, const std::vector<Tensors<double>>&);
template ConventionRun<Rounded> run_convention(const Convention&, const std::vector<Tensors<Rounded>>&);

Experiment conventions_experiment() {
    return {.name = "conventions",
            .note = "notes 1 to 5",
            .about = "The notes, PyTorch, Keras, lectures, cs231n",
            .prepare = [] { return prepared(conventions); }};
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
    const Table differences =
        differences_from(study, study, "name", "largest difference from PyTorch's, as a share of the unit's largest");
    Json& data = document.data["conventions"];
    const Json rows = json_of_rows(differences);
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        data[i].update(rows[i]);
        data[i]["running_mean"] = study.runs[i].running_mean;
        data[i]["running_variance"] = as_variances(study.conventions[i], study.runs[i].running_spread);
    }
    const Table changes = differences_from(study, study_of(single_changes(study.conventions.front()), study.batches),
                                           "changed", "PyTorch's with one thing changed: shares, as above");
    document.data["one_change"] = json_of_rows(changes);
    document.blocks.emplace_back(differences);
    document.blocks.emplace_back(changes);
    if (setup.setting.torch != nullptr) {
        compare_with_torch(document, study, *setup.setting.torch);
    }
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
