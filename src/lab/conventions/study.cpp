#include "lab/conventions/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/json.h"
#include "judge/finding.h"
#include "lab/conventions/small_batches.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kPlotted = 1;  // the unit whose running variance is drawn

// The deviation over the mean of the unit's running variance, over the second half of the batches.
double unrest(const ConventionRun<double>& run) {
    std::vector<double> late;
    for (std::size_t i = run.spread_path.size() / 2; i < run.spread_path.size(); ++i) {
        late.push_back(run.spread_path[i][kPlotted]);
    }
    const MeanAndDeviation figures = mean_and_deviation(late);
    return figures.deviation / figures.mean;
}

Plot running_variances(const ConventionStudy& study) {
    const double variance = kUnitDeviations[kPlotted] * kUnitDeviations[kPlotted];
    Plot plot{fmt::format("running variance of a unit whose variance is {:g}", variance),
              "batches",
              "running variance",
              {},
              true,
              false,
              false};
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        const Convention& convention = study.conventions[i];
        if (convention.norm.evaluation == EvaluationFigures::training_set) {
            continue;
        }
        Series series{convention.name, {}, {}, {}, {}, Style::line};
        const std::vector<std::vector<double>>& path = study.runs[i].spread_path;
        for (std::size_t k = 0; k < path.size(); ++k) {
            series.x.push_back(static_cast<double>(k));
            series.y.push_back(as_variances(convention, path[k])[kPlotted]);
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

// The largest difference that evaluation makes on the last batch's rows.
double evaluation_against_training(const ConventionRun<double>& run) {
    const std::vector<double> trained(run.y.end() - static_cast<std::ptrdiff_t>(run.evaluated.size()), run.y.end());
    return largest_difference(run.evaluated, trained);
}

void ask(Document& document, const std::string& question, const std::string& answer, const std::string& source) {
    document.blocks.emplace_back(Text{fmt::format("{}\n{} [{}]", question, answer, source)});
    document.data["asked"].push_back({{"question", question}, {"answer", answer}, {"source", source}});
}

}  // namespace

std::vector<double> as_variances(const Convention& convention, std::vector<double> spread) {
    if (convention.norm.running_spread == RunningSpread::deviation) {
        for (double& each : spread) {
            each *= each;
        }
    }
    return spread;
}

void tell_memory(Document& document, const ConventionStudy& study) {
    constexpr double kLittle = 0.01;
    const std::size_t batches = study.batches.size();
    Table table{fmt::format("the same rows in training and in evaluation, after {} batches", batches),
                {"", "largest difference", "left of the start", "batches to 1 %"},
                {}};
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        const double difference = evaluation_against_training(study.runs[i]);
        const double kept = 1 - study.conventions[i].norm.momentum;
        const double left = std::pow(kept, static_cast<double>(batches));
        Json& field = document.data["conventions"][i];
        field["evaluation_against_training"] = difference;
        field["left_of_start"] = left;
        table.rows.push_back({study.conventions[i].name, significant(difference, 3),
                              kept == 0 ? Cell("") : percent(left, 1),
                              kept == 0 ? Cell("") : fixed(std::ceil(std::log(kLittle) / std::log(kept)), 0)});
    }
    document.blocks.emplace_back(std::move(table));
    document.plots.push_back(running_variances(study));
}

void tell_small_batches(Document& document, std::uint64_t seed) {
    constexpr std::size_t kBatches = 4000;
    const std::vector<SmallBatch> measured = small_batches({2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128}, kBatches, seed);
    Table table{fmt::format("what running statistics settle at, over the true variance ({} batches)", kBatches),
                {"rows of a batch", "by n", "(n − 1)/n", "by n − 1", "by n − 1, deviation kept"},
                {}};
    Plot plot{"a running figure over the true variance", "rows of a batch", "settles at", {}, true, false, false};
    plot.series = {{"variance by n (Keras, cs231n)", {}, {}, {}, {}, Style::both},
                   {"variance by n − 1 (PyTorch, notes)", {}, {}, {}, {}, Style::both},
                   {"deviation by n − 1 (makemore 3, script)", {}, {}, {}, {}, Style::both}};
    for (const SmallBatch& one : measured) {
        const auto n = static_cast<double>(one.rows);
        table.rows.push_back({whole(one.rows), fixed(one.by_n, 3), fixed((n - 1) / n, 3), fixed(one.by_n_minus_1, 3),
                              fixed(one.by_deviation, 3)});
        const std::vector<double> values = {one.by_n, one.by_n_minus_1, one.by_deviation};
        for (std::size_t s = 0; s < values.size(); ++s) {
            plot.series[s].x.push_back(n);
            plot.series[s].y.push_back(values[s]);
        }
        document.data["small_batches"].push_back({{"rows", one.rows},
                                                  {"by_n", one.by_n},
                                                  {"by_n_minus_1", one.by_n_minus_1},
                                                  {"by_deviation", one.by_deviation}});
    }
    document.blocks.emplace_back(
        Text{"Does n or n − 1 matter? Within a batch it is a constant factor, √(n/(n − 1)), which γ takes up. In "
             "evaluation it is not: a variance by n is too small by (n − 1)/n on the average, and stays so however "
             "many batches a running figure has seen. A mean of deviations, squared, is too small as well."});
    document.blocks.emplace_back(std::move(table));
    document.plots.push_back(std::move(plot));
}

void tell_questions(Document& document, const ConventionStudy& study) {
    const auto rows = static_cast<double>(study.batches.front().n);
    const Convention& pytorch = study.conventions.front();
    const ConventionRun<double>& by_pytorch = study.runs.front();
    document.blocks.emplace_back(Text{"What is asked again and again:"});
    ask(document, "“The loss on the same rows is another in evaluation: is that a mistake?”",
        fmt::format(
            "No. Training goes by the batch, evaluation by running statistics, which carry the other batches and "
            "what is left of their start: by PyTorch's the same rows come out up to {:.2g} apart here. It is "
            "large where batches are few or small.",
            evaluation_against_training(by_pytorch)),
        "github.com/pytorch/pytorch/issues/5406, github.com/keras-team/keras/issues/7265");
    Convention mistaken = pytorch;
    mistaken.norm.momentum = 1 - pytorch.norm.momentum;
    ask(document, "“Is the momentum 0.9 or 0.1?”",
        fmt::format("PyTorch's 0.1 weighs the new, 0.9 in Keras and cs231n the old: the two are one. Keras' default of "
                    "0.99 is PyTorch's 0.01. With 0.9 given to PyTorch the running variance is little more than the "
                    "last batch's: it varies by {:.0f} % of its mean, with 0.1 by {:.0f} %.",
                    100 * unrest(run_convention(mistaken, study.batches)), 100 * unrest(by_pytorch)),
        "github.com/pytorch/examples/issues/289");
    ask(document, "“Why is running_var not the variance that my batch was normalised by?”",
        fmt::format("PyTorch normalises with divisor n, as numpy's var, and keeps the variance with n − 1: n/(n − 1) "
                    "times as much, here {:.4f}.",
                    rows / (rows - 1)),
        "github.com/pytorch/pytorch/issues/7028, github.com/pytorch/pytorch/issues/60528");
    const auto keras = std::ranges::find(study.conventions, "Keras", &Convention::name);
    const double narrow = by_pytorch.spread_path.back()[0];
    ask(document, "“The same weights, another framework: why other numbers?”",
        fmt::format("ε is 1e-3 in Keras and 1e-5 in PyTorch: where the running variance is {:.2g}, as our narrow "
                    "unit's, that alone scales the result by {:.3f}. A norm moved from the one to the other takes "
                    "its running statistics and its ε along.",
                    narrow, std::sqrt((narrow + pytorch.norm.epsilon) / (narrow + keras->norm.epsilon))),
        "github.com/keras-team/keras, keras/src/layers/normalization/batch_normalization.py");
    ask(document, "“Does Keras keep its variance with n or n − 1?”",
        "With n; but the fused kernel that tf.keras takes for images kept it with n − 1.",
        "github.com/tensorflow/tensorflow/issues/55545, github.com/keras-team/keras/issues/8982");
    ask(document, "“Why does a batch of one row fail?”",
        "Its variance is 0 with divisor n, so that every row comes out as β, and 0/0 with n − 1. PyTorch refuses such "
        "a batch in training.",
        "github.com/pytorch/pytorch/issues/4534");
}

}  // namespace byhand::lab
