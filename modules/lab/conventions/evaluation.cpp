// Evaluation by running statistics: how far it is from training, and what it is often asked about.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "judge/finding.h"
#include "lab/conventions/study.h"
#include "lab/figures.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

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

// The deviation of a unit's running variance over its mean, over the second half of the batches.
double unrest(const Run& run) {
    const std::vector<std::vector<double>>& path = run.spread_path;
    std::vector<double> late;
    for (std::size_t k = path.size() / 2; k < path.size(); ++k) {
        late.push_back(path[k][1]);
    }
    const MeanAndDeviation figures = mean_and_deviation(late);
    return figures.deviation / figures.mean;
}

void add_frequently_asked(Document& document, const Study& study, double rows) {
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

}  // namespace

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
        const auto variances = [&](Divisor divisor) {  // a batch is a column
            run(operation_graph(op::kBatchnorm, {.affine = false, .batch_divisor = divisor}, rows, batches).forward,
                in);
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

void add_evaluation(Document& document, const Study& study, const ConventionsOptions& options) {
    add_memory(document, study);
    add_small_batches(document, options.seed);
    add_frequently_asked(document, study, static_cast<double>(options.rows));
}

}  // namespace byhand::lab
