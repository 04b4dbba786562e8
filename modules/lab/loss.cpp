#include "lab/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "base/member.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/training.h"
#include "manual/models.h"
#include "manual/squared_error.h"
#include "manual/stepwise.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

// A graph in collapsed form with its loss and what follows of it replaced.
Graph starting_from(Start start, Graph graph) {
    if (start == Start::cross_entropy) {
        return graph;
    }
    const std::size_t n = graph.rows, V = graph.config.vocabulary;
    const StepList small_steps = operation_graph(op::kCrossEntropy, {}, n, V).forward;
    StepList& forward = graph.forward;
    forward.pop_back();
    const auto probs = std::ranges::find(small_steps, "probs", &Step::makes);
    forward.insert(forward.end(), small_steps.begin(), probs + 1);
    add(forward, "loss", {}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_forward), n, V);
    StepList begin;
    if (start == Start::notes_start) {
        add(begin, "dlogits", {n, V}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_backward), n, V);
    } else {
        add(begin, "dprobs", {n, V}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_backward), n, V);
        add(begin, "dlogits", {n, V}, {"dprobs", "probs"}, BYHAND_FUNCTION(softmax_backward), n, V);
    }
    graph.backward.erase(graph.backward.begin());
    graph.backward.insert(graph.backward.begin(), begin.begin(), begin.end());
    return graph;
}

Graph loss_graph(Start start, std::size_t n, std::size_t V) {
    return starting_from(start, operation_graph(op::kCrossEntropy, {}, n, V, HandForm::collapsed));
}

// ---- gradients ----

struct Gradients {
    std::vector<double> cross_entropy, notes_start, squared_error;
};

Gradients gradients_at(const Numbers<double>& in) {
    const std::size_t n = in.Y.size(), V = in["logits"].size() / n;
    const auto from = [&](Start start) { return forward_and_backward(loss_graph(start, n, V), in)["dlogits"]; };
    return {from(Start::cross_entropy), from(Start::notes_start), from(Start::squared_error)};
}

// Normal logits of deviation 1, and targets.
Numbers<double> drawn(std::size_t n, std::size_t V, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    std::vector<float> logits(n * V);
    std::vector<std::int64_t> Y(n);
    randn(generator, logits);
    randint(generator, V, Y);
    return {{{"logits", as<double>(logits)}}, Y};
}

Numbers<double> scaled(Numbers<double> in, double scale) {
    for (double& logit : in["logits"]) {
        logit *= scale;
    }
    return in;
}

void add_scales(Document& document, const std::vector<double>& scales, const Numbers<double>& unit) {
    const std::size_t rows = unit.Y.size();
    const auto n = static_cast<double>(rows);
    Table table{fmt::format("Gradients of {} × {} normal logits: their norms, the note's as the sum that it is, and "
                            "their cosines with cross-entropy's",
                            rows, unit["logits"].size() / rows),
                {"deviation",
                 {"cross-entropy", "norms.cross_entropy"},
                 {"note's", "norms.notes_start"},
                 {"squared error", "norms.squared_error"},
                 {"cos note's", "cosines.notes_start"},
                 {"cos sq. error", "cosines.squared_error"},
                 {"", "largest_difference", Align::hidden}},
                {}};
    double lowest = 1, largest = 0;
    for (const double scale : scales) {
        const Gradients g = gradients_at(scaled(unit, scale));
        const double to_squared = cosine(g.squared_error, g.cross_entropy);
        const double difference = largest_difference(g.notes_start, g.cross_entropy);
        table.rows.push_back({significant(scale, 4), significant(norm(g.cross_entropy), 3),
                              significant(n * norm(g.notes_start), 3), significant(norm(g.squared_error), 3),
                              fixed(cosine(g.notes_start, g.cross_entropy), 9), fixed(to_squared, 4),
                              significant(difference, 3)});
        lowest = std::min(lowest, to_squared);
        largest = std::max(largest, difference);
    }
    constexpr double kRounding = 1e-15;  // of elements of about 1/n, in double
    document.data["gradients"] = json_of_rows(table);
    document.blocks.emplace_back(table);
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "The note's start {} cross-entropy's gradient times {}, the rows, over which it sums where the mean divides: "
        "divided by them, no element at any of these logits differs by more than {:.1e}. The squared error's own "
        "gradient is another: its cosine falls to {:.4f}.",
        largest <= kRounding ? "is" : "is not", rows, largest, lowest)));
    document.plots.push_back({.title = "Cosine with cross-entropy's gradient",
                              .x_label = "deviation of the logits",
                              .y_label = "",
                              .series = {series_of(table, "deviation", "cosines.notes_start", "note's start"),
                                         series_of(table, "deviation", "cosines.squared_error", "squared error")},
                              .log_x = true});
}

// One row: one logit of this height, the others 0; it is the right answer's, or a wrong one's.
Gradients saturated(std::size_t V, double height, bool right) {
    std::vector<double> logits(V, 0);
    logits.front() = height;
    return gradients_at({{{"logits", logits}}, {right ? 0 : 1}});
}

void add_saturated(Document& document, std::size_t V) {
    Table table{fmt::format("One row, one logit so far above the {} others, which are equal: norms of cross-entropy's "
                            "and the squared error's gradient where it is the right answer's, norms and cosine where "
                            "it is a wrong one's",
                            V - 1),
                {{"above by", "above"},
                 {"c.-e., right", "right.cross_entropy"},
                 {"sq. e., right", "right.squared_error"},
                 {"c.-e., wrong", "wrong.cross_entropy"},
                 {"sq. e., wrong", "wrong.squared_error"},
                 {"cosine", "wrong.cosine"}},
                {}};
    for (const double height : {0, 1, 2, 5, 10, 15, 20, 25, 30}) {
        const Gradients right = saturated(V, height, true), wrong = saturated(V, height, false);
        table.rows.push_back({significant(height, 4), significant(norm(right.cross_entropy), 2),
                              significant(norm(right.squared_error), 2), significant(norm(wrong.cross_entropy), 2),
                              significant(norm(wrong.squared_error), 2),
                              fixed(cosine(wrong.squared_error, wrong.cross_entropy), 4)});
    }
    document.data["saturated"] = json_of_rows(table);
    document.blocks.emplace_back(table);
    document.blocks.emplace_back(Text{fmt::format(
        "Certain and right, both gradients vanish, as they should. Certain and wrong, cross-entropy's stays: {:.2f} at "
        "{:g} above. The squared error's is {:.1e} there, since each of its elements has the factor probs: a network "
        "that is certain of a wrong class does not learn from it by the squared error.",
        numbers(table, "wrong.cross_entropy").back(), numbers(table, "above").back(),
        numbers(table, "wrong.squared_error").back())});
    Plot plot{
        "Gradient's norm where one logit stands above the others", "above by", "", {}, /*log_x=*/false, /*log_y=*/true};
    for (const auto& [key, name] : {std::pair{"wrong.cross_entropy", "wrong, cross-entropy"},
                                    {"wrong.squared_error", "wrong, squared error"},
                                    {"right.cross_entropy", "right, cross-entropy"},
                                    {"right.squared_error", "right, squared error"}}) {
        plot.series.push_back(series_of(table, "above", key, name));
    }
    document.plots.push_back(std::move(plot));
}

void compare_with_torch(Document& document, const Numbers<double>& unit, const torch_ref::Factory& torch) {
    const Numbers<double> in = as<double>(as<float>(scaled(unit, 3)));
    const std::size_t n = in.Y.size(), V = in["logits"].size() / n;
    std::vector<Agreement> agreements;
    for (const auto& [start, op, words] : {std::tuple{Start::cross_entropy, op::kCrossEntropy, "cross-entropy"},
                                           {Start::squared_error, "squared_error", "squared error"}}) {
        const auto reference = torch.single_operation(op, {}, n, V);
        const InFloat ours = in_float(loss_graph(start, n, V), in);
        for (const char* name : {"loss", "dlogits"}) {
            agreements.push_back(agreement(fmt::format("{}, {}", words, name), ours.made[name], ours.bounds[name],
                                           evaluate(*reference, name, in)));
        }
    }
    add_agreements(document, "float by hand against LibTorch in double, logits of deviation 3", agreements);
}

// ---- trainings ----

struct LossTraining {
    std::string name;
    Start start = Start::cross_entropy;
    double rate_factor = 1;  // on every rate of the recipe
};

// Means over validation examples, in evaluation mode.
struct Losses {
    double cross_entropy = std::numeric_limits<double>::quiet_NaN();
    double squared_error = std::numeric_limits<double>::quiet_NaN();
};
using Which = Member<Losses, double>;

// NaN where the training met values that are not finite, and ended.
struct LossTrained {
    std::vector<Losses> curve;  // at curve_points, over the first of the validation examples
    Losses final;               // over all of them
};
using Results = std::vector<LossTrained>;  // a seed each

// The steps after which the curve's points are taken, from 0 to the last.
std::vector<std::size_t> curve_points(std::size_t steps) {
    constexpr std::size_t kPoints = 20;  // after the first
    std::vector<std::size_t> points = {0};
    for (std::size_t i = 1; i <= kPoints; ++i) {
        if (const std::size_t at = steps * i / kPoints; at > points.back()) {
            points.push_back(at);
        }
    }
    return points;
}

// Where the norms go by the figures of the training set, `train` is that set.
Losses losses_on(const Examples& examples, const Examples& train, const NetworkConfig& network,
                 const Tensors<float>& state) {
    constexpr std::size_t kRows = 4096;  // at a time, so that memory does not grow with the data
    const std::unique_ptr<Model> model = evaluated(network, state, train);
    Losses losses{0, 0};
    for (std::size_t first = 0; first < examples.size(); first += kRows) {
        const std::size_t rows = std::min(kRows, examples.size() - first);
        const ExampleRows block = examples.rows(first, rows);
        std::vector<float> logits(rows * network.vocabulary);
        model->logits(logits, block.X);
        Numbers<double> in{{{"logits", as<double>(logits)}}, block.Y};
        const double share = static_cast<double>(rows) / static_cast<double>(examples.size());
        for (const auto& [start, loss] : {std::pair{Start::cross_entropy, &Losses::cross_entropy},
                                          {Start::squared_error, &Losses::squared_error}}) {
            run(loss_graph(start, rows, network.vocabulary).forward, in);
            losses.*loss += share * in["loss"][0];
        }
    }
    return losses;
}

// Each on every seed.
std::vector<Results> train_losses(const std::vector<LossTraining>& trainings, const Recipe& recipe, const Seeds& seeds,
                                  const Material& material, const Setting& setting) {
    constexpr std::size_t kCurveExamples = 4'000;  // enough to see the losses apart
    // The parts are the same for every seed: the split has a seed of its own.
    const Run run = prepare(recipe, material.names, material.where);
    const NetworkConfig& network = run.recipe.network;
    const Examples val = run.val.first(kCurveExamples), train = run.train.first(kCurveExamples);
    const std::vector<std::size_t> points = curve_points(recipe.steps);
    std::vector<Results> results;
    std::vector<Training> all;
    for (const LossTraining& one : trainings) {
        Results& of_seeds = results.emplace_back(seeds.count);
        for (std::size_t seed = 0; seed < seeds.count; ++seed) {
            Training& training = all.emplace_back();
            training.recipe = recipe;
            training.recipe.seed = list(seeds)[seed];
            for (RateFrom& from : training.recipe.rates) {
                from.rate *= one.rate_factor;
            }
            training.make = [start = one.start](const NetworkConfig& config, std::size_t rows) {
                return make_step_model(network_from(start, config, rows));
            };
            training.watch = [&, &result = of_seeds[seed]](std::size_t steps, Model& model) {
                if (std::ranges::binary_search(points, steps)) {
                    result.curve.push_back(losses_on(val, train, network, model.save()));
                }
                if (steps == recipe.steps) {
                    result.final = losses_on(run.val, run.train, network, model.save());
                }
            };
        }
    }
    train_all(all, material, setting);
    for (Results& of_seeds : results) {
        for (LossTrained& one : of_seeds) {
            one.curve.resize(points.size());
        }
    }
    return results;
}

std::vector<double> finals(const Results& results, Which which) {
    std::vector<double> values(results.size());
    std::ranges::transform(results, values.begin(), [which](const LossTrained& one) { return one.final.*which; });
    return values;
}

// The mean over the seeds at each point.
Series curve_of(const std::string& name, const Results& results, Which which, const std::vector<std::size_t>& points) {
    Table table{"", {"steps", "loss"}, {}};
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::vector<double> values(results.size());
        std::ranges::transform(results, values.begin(), [&](const LossTrained& one) { return one.curve[i].*which; });
        table.rows.push_back({whole(points[i]), with_spread(values, 4)});
    }
    return series_of(table, "steps", "loss", name);
}

Json json_of(const LossTraining& training, const Results& results, const Seeds& seeds, const Series& cross_entropy,
             const Series& squared_error) {
    Json of_seeds = Json::array(), curve = Json::array();
    for (std::size_t i = 0; i < results.size(); ++i) {
        of_seeds.push_back({{"seed", list(seeds)[i]},
                            {"cross_entropy", number(results[i].final.cross_entropy)},
                            {"squared_error", number(results[i].final.squared_error)}});
    }
    for (std::size_t i = 0; i < cross_entropy.x.size(); ++i) {
        curve.push_back({{"steps", static_cast<std::size_t>(cross_entropy.x[i])},
                         {"cross_entropy", number(cross_entropy.y[i])},
                         {"squared_error", number(squared_error.y[i])}});
    }
    return {{"name", training.name}, {"rate_factor", training.rate_factor}, {"seeds", of_seeds}, {"curve", curve}};
}

// The name of the row with the lowest mean; a NaN is never the lowest.
std::string lowest(const Table& table, const std::string& key) {
    const std::vector<double> means = numbers(table, key);
    const auto best =
        std::ranges::min_element(means, {}, [](double mean) { return std::isnan(mean) ? HUGE_VAL : mean; });
    return table.rows[static_cast<std::size_t>(best - means.begin())].front().shown;
}

void add_trainings(Document& document, const LossOptions& options, const Material& material, const Setting& setting) {
    std::vector<LossTraining> trainings = {
        {"cross-entropy", Start::cross_entropy, 1},
        {"note's start, mean", Start::notes_start, 1},
        {"note's start, sum", Start::notes_start, static_cast<double>(options.recipe.batch)}};
    for (const double factor : options.rate_factors) {
        trainings.push_back({factor == 1 ? "squared error" : fmt::format("squared error, rates × {:g}", factor),
                             Start::squared_error, factor});
    }
    const Recipe recipe = in_steps(options.recipe, options.steps);
    const std::vector<Results> results = train_losses(trainings, recipe, options.seeds, material, setting);
    const std::vector<std::size_t> points = curve_points(options.steps);

    Table table{fmt::format("Trained on names, {} steps of recipe {} on {} seeds: losses over the validation names",
                            options.steps, recipe.name, options.seeds.count),
                {"backwards from", "rates ×", "cross-entropy", "squared error"},
                {}};
    Plot cross_entropy{"Cross-entropy of validation names", "steps", "", {}};
    Plot squared_error{"Squared error of validation names", "steps", "", {}};
    std::string verdicts = "Against the training from cross-entropy, seed by seed:";
    for (std::size_t i = 0; i < trainings.size(); ++i) {
        const auto difference = [&](Which which) {
            return higher_or_lower(differences(finals(results[i], which), finals(results.front(), which)));
        };
        const auto& [name, start, factor] = trainings[i];
        table.rows.push_back({name, significant(factor, 4), with_spread(finals(results[i], &Losses::cross_entropy), 4),
                              with_spread(finals(results[i], &Losses::squared_error), 4)});
        cross_entropy.series.push_back(curve_of(name, results[i], &Losses::cross_entropy, points));
        squared_error.series.push_back(curve_of(name, results[i], &Losses::squared_error, points));
        document.data["trainings"].push_back(
            json_of(trainings[i], results[i], options.seeds, cross_entropy.series.back(), squared_error.series.back()));
        if (i > 0) {
            verdicts += fmt::format("\n{}: cross-entropy {}; squared error {}.", name,
                                    difference(&Losses::cross_entropy), difference(&Losses::squared_error));
        }
    }
    verdicts += fmt::format("\nThe lowest cross-entropy: {}. The lowest squared error: {}.",
                            lowest(table, "cross_entropy"), lowest(table, "squared_error"));
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(Text{verdicts});
    document.plots.push_back(std::move(cross_entropy));
    document.plots.push_back(std::move(squared_error));
}

}  // namespace

Graph network_from(Start start, const NetworkConfig& config, std::size_t rows) {
    return starting_from(start, collapsed_graph(config, rows));
}

Document loss(const LossOptions& options, const Material& material, const Setting& setting) {
    const Run run = prepare(options.recipe, material.names, material.where);
    Document document{"lab loss", "note 1", "Where the backward pass begins", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "Note 1 takes half a squared error of the probabilities for its loss, differentiates it to Ŷ − Y, and goes on "
        "as if that were the gradient of the logits. It is the gradient of the probabilities: on the way to the logits "
        "it has to pass softmax's Jacobian. Three gradients side by side: the note's, the one that this loss really "
        "has, and cross-entropy's."});
    document.blocks.emplace_back(Formulas{{"squared_error_forward", "squared_error_backward", "softmax_backward",
                                           "cross_entropy_forward", "cross_entropy_backward"}});
    const Numbers<double> in = drawn(run.recipe.batch, run.recipe.network.vocabulary, options.recipe.seed);
    add_scales(document, options.scales, in);
    add_saturated(document, run.recipe.network.vocabulary);
    if (setting.torch != nullptr) {
        compare_with_torch(document, in, *setting.torch);
    }
    add_trainings(document, options, material, setting);
    return document;
}

}  // namespace byhand::lab
