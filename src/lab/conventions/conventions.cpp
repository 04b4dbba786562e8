#include "lab/conventions/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

// The units' true means and deviations: the first is so narrow that ε counts, the last is wide.
constexpr std::size_t kUnits = 3;
const std::vector<double> kMeans = {1, -4, 40}, kDeviations = {0.05, 2, 30};
const std::vector<double> kGain = {0.5, 2, -1.5}, kBias = {0.25, -1, 3};

using Batches = std::vector<Numbers<double>>;
using Run = ConventionRun<double>;

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

// ---- one convention ----

template <class T>
void append(std::vector<T>& to, const std::vector<T>& values) {
    to.insert(to.end(), values.begin(), values.end());
}

template <class T>
std::size_t rows_of(const Numbers<T>& batch) {
    return batch["hprebn"].size() / batch["bngain"].size();
}

// Makes these values of a batch norm: by the steps by hand, or by LibTorch.
template <class T>
using Make = std::function<void(Numbers<T>& batch, const std::vector<std::string>& names)>;

template <class T>
ConventionRun<T> run_by(const Make<T>& make, const Convention& convention, const std::vector<Numbers<T>>& batches) {
    const bool by_all = convention.norm.evaluation == EvaluationFigures::training_set;
    const std::size_t H = batches.front()["bngain"].size();
    ConventionRun<T> run;
    run.running_mean.assign(H, T(0));
    run.running_spread.assign(H, T(convention.first_spread));
    run.spread_path.push_back(run.running_spread);
    const auto made_of = [&](Numbers<T> batch, const std::vector<std::string>& names) {
        batch["bnmean_running"] = run.running_mean;
        batch["bnvar_running"] = run.running_spread;
        make(batch, names);
        return batch;
    };
    const auto update = [&](const Numbers<T>& batch) {
        Numbers<T> made = made_of(batch, {"new_bnmean_running", "new_bnvar_running"});
        run.running_mean = made["new_bnmean_running"];
        run.running_spread = made["new_bnvar_running"];
        run.spread_path.push_back(run.running_spread);
    };
    Numbers<T> all = batches.front();  // stacked
    for (std::size_t i = 0; i < batches.size(); ++i) {
        Numbers<T> made = made_of(batches[i], {"hpreact", "dhprebn"});
        append(run.y, made["hpreact"]);
        append(run.dx, made["dhprebn"]);
        if (!by_all) {
            update(batches[i]);
        } else if (i > 0) {
            append(all["hprebn"], batches[i]["hprebn"]);
            append(all["dhpreact"], batches[i]["dhpreact"]);
        }
    }
    if (by_all) {
        update(all);
    }
    run.evaluated = made_of(batches.back(), {"eval_hpreact"})["eval_hpreact"];
    return run;
}

Run run_by_torch(const Convention& convention, const Batches& batches, const torch_ref::Factory& torch) {
    const auto make = [&](Numbers<double>& batch, const std::vector<std::string>& names) {
        const auto operations = torch.single_operation(op::kBatchnorm, convention.norm, rows_of(batch), kUnits);
        for (const std::string& name : names) {
            batch[name] = evaluate(*operations, name, batch);
        }
    };
    return run_by<double>(make, convention, batches);
}

// The running statistics of spread as variances, whatever they are kept as.
std::vector<double> as_variances(const Convention& convention, std::vector<double> spread) {
    if (convention.norm.running_spread == RunningSpread::deviation) {
        std::ranges::transform(spread, spread.begin(), [](double each) { return each * each; });
    }
    return spread;
}

// All its numbers, one after another.
template <class T>
std::vector<T> numbers_of(const ConventionRun<T>& run) {
    std::vector<T> all;
    for (const std::vector<T>* part : {&run.y, &run.dx, &run.running_mean, &run.running_spread, &run.evaluated}) {
        append(all, *part);
    }
    return all;
}

std::vector<Run> runs_of(const std::vector<Convention>& conventions, const Batches& batches) {
    std::vector<Run> runs(conventions.size());
    std::ranges::transform(conventions, runs.begin(),
                           [&](const Convention& one) { return run_convention(one, batches); });
    return runs;
}

// The same batches by every convention.
struct Study {
    std::vector<Convention> conventions;  // PyTorch's first
    Batches batches;
    std::vector<Run> runs;  // of each convention
};

// ---- what differs ----

void add_definitions(Document& document, const std::vector<Convention>& all) {
    Table batch{"in training, forward and backward", {"", "divisor", "ε"}, {}};
    Table running{"for evaluation", {"", "divisor", "kept as", "begins at", "momentum", "goes by"}, {}};
    std::string sources = "Sources:";
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
        for (const std::string& source : one.sources) {
            sources += fmt::format("\n{}: {}", one.name, source);
        }
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
    document.blocks.emplace_back(Text{std::move(sources)});
}

// The table's rows as further fields of as many objects.
void update_each(Json& objects, const Table& table) {
    const Json rows = json_of_rows(table);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        objects[i].update(rows[i]);
    }
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
Table differences_from_pytorch(const Study& study, const std::vector<Convention>& conventions,
                               const std::vector<Run>& runs, const char* name_key) {
    Table table{"", {{"", name_key}}, {}};
    for (const auto& [title, key] : {std::pair{"forward", "forward"},
                                     {"backward", "backward"},
                                     {"run. mean", "running_mean"},
                                     {"run. var.", "running_variance"},
                                     {"evaluation", "evaluation"}}) {
        table.columns.emplace_back(title, std::string("differences.") + key);
        table.columns.emplace_back(title, std::string("shares.") + key);
    }
    const auto parts = [](const Convention& one, const Run& run) {
        return std::vector{run.y, run.dx, run.running_mean, as_variances(one, run.running_spread), run.evaluated};
    };
    const auto pytorch = parts(study.conventions.front(), study.runs.front());
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto own = parts(conventions[i], runs[i]);
        std::vector<Cell>& row = table.rows.emplace_back(1, conventions[i].name);
        for (std::size_t part = 0; part < own.size(); ++part) {
            row.push_back(significant(largest_difference(own[part], pytorch[part]), 2));
            row.push_back(percent(largest_share(own[part], pytorch[part])));
        }
    }
    return table;
}

// The first column, and those whose key begins so.
Table some_columns(const Table& table, const std::string& title, const std::string& begin) {
    Table some{title, {}, std::vector<std::vector<Cell>>(table.rows.size())};
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        if (column == 0 || table.columns[column].key.starts_with(begin)) {
            some.columns.push_back(table.columns[column]);
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                some.rows[i].push_back(table.rows[i][column]);
            }
        }
    }
    return some;
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

Table add_differences(Document& document, const Study& study) {
    Table table = differences_from_pytorch(study, study.conventions, study.runs, "name");
    Json& data = document.data["conventions"];
    update_each(data, table);
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        data[i]["running_mean"] = study.runs[i].running_mean;
        data[i]["running_variance"] = as_variances(study.conventions[i], study.runs[i].running_spread);
    }
    document.blocks.emplace_back(some_columns(table, "largest difference from PyTorch's", "differences."));
    document.blocks.emplace_back(
        some_columns(table, "the same, as a share of the unit's largest in PyTorch", "shares."));
    return table;
}

Table add_single_changes(Document& document, const Study& study) {
    const std::vector<Convention> changed = single_changes(study.conventions.front());
    const std::vector<Run> runs = runs_of(changed, study.batches);
    Table table = differences_from_pytorch(study, changed, runs, "changed");
    document.data["one_change"] = json_of_rows(table);
    document.blocks.emplace_back(some_columns(table, "PyTorch's with one thing changed: shares, as above", "shares."));
    return table;
}

void compare_with_torch(Document& document, const Study& study, const torch_ref::Factory& torch) {
    std::vector<Numbers<float>> floats(study.batches.size());
    std::vector<Numbers<Rounded>> bounds(study.batches.size());
    std::ranges::transform(study.batches, floats.begin(), [](const Numbers<double>& one) { return as<float>(one); });
    std::ranges::transform(study.batches, bounds.begin(), [](const Numbers<double>& one) { return as<Rounded>(one); });
    std::vector<Agreement> agreements;
    agreements.reserve(study.conventions.size());
    for (const Convention& one : study.conventions) {
        agreements.push_back(agreement(one.name, numbers_of(run_convention(one, floats)),
                                       numbers_of(run_convention(one, bounds)),
                                       numbers_of(run_by_torch(one, study.batches, torch))));
    }
    document.blocks.emplace_back(Text{
        "Each of them by LibTorch as well: y, dx, running statistics and evaluation, all batches. PyTorch's row is "
        "torch::nn::BatchNorm1d itself; the others are modules of torch:: operations, with gradients by autograd."});
    add_agreements(document, "float by hand against LibTorch in double", agreements);
}

// ---- training and evaluation ----

// The largest difference between evaluation and training on the last batch's rows.
double evaluation_against_training(const Run& run) {
    const std::vector<double> trained(run.y.end() - static_cast<std::ptrdiff_t>(run.evaluated.size()), run.y.end());
    return largest_difference(run.evaluated, trained);
}

void add_memory(Document& document, const Study& study) {
    constexpr std::size_t kPlotted = 1;  // the unit whose running variance is drawn
    constexpr double kLittle = 0.01;
    const std::size_t batches = study.batches.size();
    Table table{fmt::format("the same rows in training and in evaluation, after {} batches", batches),
                {"",
                 {"largest difference", "evaluation_against_training"},
                 {"left of the start", ""},
                 {"batches to 1 %", ""},
                 {"", "left_of_start", Align::hidden}},
                {}};
    Plot plot{
        fmt::format("running variance of a unit whose variance is {:g}", kDeviations[kPlotted] * kDeviations[kPlotted]),
        "batches",
        "running variance",
        {},
        /*log_x=*/true};
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        const Convention& one = study.conventions[i];
        const std::vector<std::vector<double>>& path = study.runs[i].spread_path;
        const double kept = 1 - one.norm.momentum, left = std::pow(kept, static_cast<double>(batches));
        table.rows.push_back({one.name, significant(evaluation_against_training(study.runs[i]), 3),
                              kept == 0 ? Cell("") : percent(left, 1),
                              kept == 0 ? Cell("") : fixed(std::ceil(std::log(kLittle) / std::log(kept)), 0),
                              Cell("", left)});
        if (one.norm.evaluation == EvaluationFigures::training_set) {
            continue;
        }
        Series& series = plot.series.emplace_back(Series{one.name, {}, {}, {}, {}});
        for (std::size_t k = 0; k < path.size(); ++k) {
            series.x.push_back(static_cast<double>(k));
            series.y.push_back(as_variances(one, path[k])[kPlotted]);
        }
    }
    update_each(document.data["conventions"], table);
    document.blocks.emplace_back(std::move(table));
    document.plots.push_back(std::move(plot));
}

void add_small_batches(Document& document, std::uint64_t seed) {
    constexpr std::size_t kBatches = 4000;
    const Table table = small_batches({2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128}, kBatches, seed);
    document.blocks.emplace_back(
        Text{"Does n or n − 1 matter? Within a batch it is a constant factor, √(n/(n − 1)), which γ absorbs. In "
             "evaluation it is not: a variance by n is too small by (n − 1)/n on average, however many batches a "
             "running statistic has seen. A mean of deviations, squared, is too small as well."});
    document.blocks.emplace_back(table);
    document.data["small_batches"] = json_of_rows(table);
    Plot plot{"a running statistic over the true variance", "rows of a batch", "settles at", {}, /*log_x=*/true};
    for (const auto& [key, name] : {std::pair{"by_n", "variance by n (Keras, cs231n)"},
                                    {"by_n_minus_1", "variance by n − 1 (PyTorch, notes)"},
                                    {"by_deviation", "deviation by n − 1 (makemore 3, script)"}}) {
        plot.series.push_back(series_of(table, "rows", key, name, Style::both));
    }
    document.plots.push_back(std::move(plot));
}

// ---- frequently asked ----

// The deviation of the narrowest unit's running variance over its mean, over the second half of the batches.
double unrest(const Run& run) {
    const auto half = static_cast<std::ptrdiff_t>(run.spread_path.size() / 2);
    std::vector<double> late(run.spread_path.size() - run.spread_path.size() / 2);
    std::transform(run.spread_path.begin() + half, run.spread_path.end(), late.begin(),
                   [](const std::vector<double>& spread) { return spread[1]; });
    const MeanAndDeviation figures = mean_and_deviation(late);
    return figures.deviation / figures.mean;
}

void add_frequently_asked(Document& document, const Study& study) {
    const auto rows = static_cast<double>(rows_of(study.batches.front()));
    const Convention& pytorch = study.conventions.front();
    const Run& by_pytorch = study.runs.front();
    const auto keras = std::ranges::find(study.conventions, "Keras", &Convention::name);
    const double narrow = by_pytorch.spread_path.back()[0];
    Convention mistaken = pytorch;
    mistaken.norm.momentum = 1 - pytorch.norm.momentum;
    document.blocks.emplace_back(Text{"Frequently asked:"});
    const auto ask = [&](const char* asked, const std::string& reply, const char* source) {
        document.blocks.emplace_back(Text{fmt::format("{}\n{} [{}]", asked, reply, source)});
        document.data["asked"].push_back({{"question", asked}, {"answer", reply}, {"source", source}});
    };
    ask("“The loss on the same rows is another in evaluation: is that a mistake?”",
        fmt::format("No. Training goes by the batch, evaluation by running statistics, which hold the other batches "
                    "and what is left of their start: by PyTorch's the same rows differ by up to {:.2g} here. It is "
                    "large where batches are few or small.",
                    evaluation_against_training(by_pytorch)),
        "github.com/pytorch/pytorch/issues/5406, github.com/keras-team/keras/issues/7265");
    ask("“Is the momentum 0.9 or 0.1?”",
        fmt::format("PyTorch's 0.1 weighs the new, 0.9 in Keras and cs231n the old: the two are the same. Keras' "
                    "default of 0.99 is PyTorch's 0.01. With 0.9 given to PyTorch the running variance is little more "
                    "than the last batch's: it varies by {:.0f} % of its mean, with 0.1 by {:.0f} %.",
                    100 * unrest(run_convention(mistaken, study.batches)), 100 * unrest(by_pytorch)),
        "github.com/pytorch/examples/issues/289");
    ask("“Why is running_var not the variance that my batch was normalised by?”",
        fmt::format("PyTorch normalises with divisor n, as numpy's var, and keeps the variance with n − 1: n/(n − 1) "
                    "times as much, here {:.4f}.",
                    rows / (rows - 1)),
        "github.com/pytorch/pytorch/issues/7028, github.com/pytorch/pytorch/issues/60528");
    ask("“The same weights, another framework: why other numbers?”",
        fmt::format(
            "ε is 1e-3 in Keras and 1e-5 in PyTorch: where the running variance is {:.2g}, as in the narrow "
            "unit here, that alone scales the result by {:.3f}. Moving a norm from one to the other includes its "
            "running statistics and its ε.",
            narrow, std::sqrt((narrow + pytorch.norm.epsilon) / (narrow + keras->norm.epsilon))),
        "github.com/keras-team/keras, keras/src/layers/normalization/batch_normalization.py");
    ask("“Does Keras keep its variance with n or n − 1?”",
        "With n; but the fused kernel that tf.keras uses for images kept it with n − 1.",
        "github.com/tensorflow/tensorflow/issues/55545, github.com/keras-team/keras/issues/8982");
    ask("“Why does a batch of one row fail?”",
        "Its variance is 0 with divisor n, so that every row becomes β, and 0/0 with n − 1. PyTorch refuses such a "
        "batch in training.",
        "github.com/pytorch/pytorch/issues/4534");
}

// The row with the largest share in that column: "7.4 % (its name)".
std::string furthest(const Table& table, const std::string& part) {
    const std::vector<double> all = numbers(table, "shares." + part);
    const auto largest = std::ranges::max_element(all);
    return fmt::format("{:.1f} % ({})", 100 * *largest,
                       table.rows[static_cast<std::size_t>(largest - all.begin())].front().shown);
}

}  // namespace

template <class T>
ConventionRun<T> run_convention(const Convention& convention, const std::vector<Numbers<T>>& batches) {
    Graph graph;
    const auto make = [&](Numbers<T>& batch, const std::vector<std::string>& /*names*/) {
        if (graph.rows != rows_of(batch)) {
            graph = operation_graph(op::kBatchnorm, convention.norm, rows_of(batch), batch["bngain"].size());
        }
        run(graph.forward, batch);
        run(graph.backward, batch);
        run(graph.update, batch);
        run(graph.evaluation, batch);
    };
    return run_by<T>(make, convention, batches);
}
template ConventionRun<float> run_convention(const Convention&, const std::vector<Numbers<float>>&);
template ConventionRun<double> run_convention(const Convention&, const std::vector<Numbers<double>>&);
template ConventionRun<Rounded> run_convention(const Convention&, const std::vector<Numbers<Rounded>>&);

Table small_batches(const std::vector<std::size_t>& sizes, std::size_t batches, std::uint64_t seed) {
    Table table{fmt::format("what running statistics settle at, over the true variance ({} batches)", batches),
                {{"rows of a batch", "rows"},
                 {"by n", "by_n"},
                 {"(n − 1)/n", ""},
                 {"by n − 1", "by_n_minus_1"},
                 {"by n − 1, deviation kept", "by_deviation"}},
                {}};
    TorchGenerator g = torch_seeded(seed);
    for (const std::size_t rows : sizes) {
        std::vector<float> drawn(rows * batches);
        randn(g, drawn);
        Numbers<double> in{{{"hprebn", as<double>(drawn)}}};
        in["bngain"].assign(batches, 1);
        in["bnbias"].assign(batches, 0);
        const auto variances = [&](Divisor divisor) {  // a batch is a column
            run(operation_graph(op::kBatchnorm, {.batch_divisor = divisor}, rows, batches).forward, in);
            return in["bnvar"];
        };
        const auto mean = [&](const std::vector<double>& values) {
            return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(batches);
        };
        const double by_n = mean(variances(Divisor::n));
        std::vector<double> spread = variances(Divisor::n_minus_1);
        const double by_n_minus_1 = mean(spread);
        std::ranges::transform(spread, spread.begin(), [](double each) { return std::sqrt(each); });
        const auto n = static_cast<double>(rows);
        table.rows.push_back({whole(rows), fixed(by_n, 3), fixed((n - 1) / n, 3), fixed(by_n_minus_1, 3),
                              fixed(std::pow(mean(spread), 2), 3)});
    }
    return table;
}

Document conventions(const ConventionsOptions& options, const Setting& setting) {
    if (options.rows < 2 || options.batches == 0) {
        throw InputError("conventions takes at least 2 rows in a batch, and at least one batch");
    }
    Study study{conventions_of_the_field(), batches_of(options), {}};
    study.runs = runs_of(study.conventions, study.batches);
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
    if (setting.torch != nullptr) {
        compare_with_torch(document, study, *setting.torch);
    }
    add_memory(document, study);
    add_small_batches(document, options.seed);
    add_frequently_asked(document, study);
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
