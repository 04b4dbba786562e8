#include "lab/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "judge/finding.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/study.h"
#include "lab/training.h"
#include "manual/models.h"
#include "manual/squared_error.h"
#include "manual/stepwise.h"
#include "names/random.h"

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

// Logits (n, V) and targets (n).
Tensors<double> loss_inputs(const std::vector<double>& logits, const std::vector<std::int64_t>& Y) {
    Tensors<double> in;
    in.put({"logits", {Y.size(), logits.size() / Y.size()}}, logits);
    in.put({"Y", {Y.size()}}, Y);
    return in;
}

Gradients gradients_at(const Tensors<double>& in) {
    const std::size_t n = in.indices("Y").size(), V = in["logits"].size() / n;
    const auto from = [&](Start start) { return forward_and_backward(loss_graph(start, n, V), in).copy_of("dlogits"); };
    return {from(Start::cross_entropy), from(Start::notes_start), from(Start::squared_error)};
}

// Normal logits of deviation 1, and targets.
Tensors<double> drawn(std::size_t n, std::size_t V, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    std::vector<float> logits(n * V);
    std::vector<std::int64_t> Y(n);
    randn(generator, logits);
    randint(generator, V, Y);
    return loss_inputs(as<double>(logits), Y);
}

Tensors<double> scaled(Tensors<double> in, double scale) {
    in.change_numbers([scale](double logit, std::size_t) { return logit * scale; });
    return in;
}

void add_scales(Document& document, const std::vector<double>& scales, const Tensors<double>& unit) {
    const std::size_t rows = unit.indices("Y").size();
    std::vector<Gradients> gradients;
    double largest = 0;
    for (const double scale : scales) {
        const Gradients& g = gradients.emplace_back(gradients_at(scaled(unit, scale)));
        largest = larger(largest, largest_difference(g.notes_start, g.cross_entropy));
    }
    const Study cosines = filled({.key = "gradients",
                                  .title = fmt::format("Cosine with cross-entropy's gradient, {} × {} normal logits",
                                                       rows, unit["logits"].size() / rows),
                                  .arms = {"note's start", "squared error"},
                                  .measure = "cosine",
                                  .varied = "deviation of the logits",
                                  .values = scales,
                                  .decimals = 4},
                                 [&](std::size_t arm, std::size_t scale, std::size_t) {
                                     const Gradients& g = gradients[scale];
                                     return cosine(arm == 0 ? g.notes_start : g.squared_error, g.cross_entropy);
                                 });
    constexpr double kRounding = 1e-15;  // of elements of about 1/n, in double
    add(document, {cosines});
    document.data["largest_difference"] = number(largest);
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "The note's start {} cross-entropy's gradient times {}, the rows, over which it sums where the mean divides: "
        "divided by them, no element at any of these logits differs by more than {:.1e}. The squared error's own "
        "gradient is another: its cosine falls to {:.4f}.",
        largest <= kRounding ? "is" : "is not", rows, largest, std::ranges::min(cosines.of_seed(1, 0)))));
}

// One row: one logit of this height, the others 0; it is the right answer's, or a wrong one's.
Gradients saturated(std::size_t V, double height, bool right) {
    std::vector<double> logits(V, 0);
    logits.front() = height;
    return gradients_at(loss_inputs(logits, {right ? 0 : 1}));
}

void add_saturated(Document& document, std::size_t V) {
    Study norms{
        .key = "saturated",
        .title = fmt::format("Gradient's norm in one row where one logit stands so far above the {} others", V - 1),
        .arms = {"c.-e., right", "sq. error, right", "c.-e., wrong", "sq. error, wrong"},
        .measure = "norm",
        .varied = "above by",
        .values = {0, 1, 2, 5, 10, 15, 20, 25, 30},
        .log_x = false,
        .by_factors = true};
    norms = filled(norms, [&](std::size_t arm, std::size_t height, std::size_t) {
        const Gradients g = saturated(V, norms.values[height], /*right=*/arm < 2);
        return norm(arm % 2 == 0 ? g.cross_entropy : g.squared_error);
    });
    add(document, {norms});
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "Certain and right, at {:g} above, the gradients are {:.1e} and {:.1e}. Certain and wrong, cross-entropy's is "
        "{:.2f} and the squared error's {:.1e}, since each of its elements has the factor probs.",
        norms.values.back(), norms.of_seed(0, 0).back(), norms.of_seed(1, 0).back(), norms.of_seed(2, 0).back(),
        norms.of_seed(3, 0).back())));
}

void compare_with_torch(Document& document, const Tensors<double>& unit, const torch_ref::Factory& torch) {
    const Tensors<double> in(Tensors<float>(scaled(unit, 3)));
    const std::size_t n = in.indices("Y").size(), V = in["logits"].size() / n;
    std::vector<Agreement> agreements;
    for (const auto& [start, op, words] : {std::tuple{Start::cross_entropy, op::kCrossEntropy, "cross-entropy, "},
                                           {Start::squared_error, "squared_error", "squared error, "}}) {
        compare(agreements, words, loss_graph(start, n, V), in, *torch.single_operation(op, {}, n, V),
                {"loss", "dlogits"});
    }
    add_agreements(document, "float by hand against LibTorch in double, logits of deviation 3", agreements);
}

// ---- trainings ----

struct LossTraining {
    std::string name;
    Start start = Start::cross_entropy;
    double rate_factor = 1;  // on every rate of the recipe
};

void add_trainings(Document& document, const LossOptions& options, const Setup& setup) {
    const Recipe recipe = in_steps(setup.recipes.front(), setup.steps);
    std::vector<LossTraining> trainings = {
        {"cross-entropy", Start::cross_entropy, 1},
        {"note's start", Start::notes_start, 1},
        {fmt::format("note's start × {}", recipe.batch), Start::notes_start, static_cast<double>(recipe.batch)}};
    for (const double factor : options.rate_factors) {
        trainings.push_back({factor == 1 ? "squared error" : fmt::format("squared error × {:g}", factor),
                             Start::squared_error, factor});
    }
    Study study{
        .key = "cross_entropy",
        .title = fmt::format("Trained on names, {} steps of recipe {} on {} seeds: loss on the validation names",
                             setup.steps, recipe.name, setup.seeds.size()),
        .arms = {},
        .seeds = setup.seeds.size(),
        .measure = "cross-entropy",
        .decimals = 4};
    for (const LossTraining& one : trainings) {
        study.arms.push_back(one.name);
    }
    const auto make = [&](std::size_t arm, std::size_t, std::size_t) {
        Training training{.recipe = recipe};
        for (RateFrom& from : training.recipe.rates) {
            from.rate *= trainings[arm].rate_factor;
        }
        training.make = [start = trainings[arm].start](const NetworkConfig& config, std::size_t rows) {
            return make_step_model(network_from(start, config, rows));
        };
        return training;
    };
    study.figures = figures_of(train(study, make, setup), &Trained::val);
    add(document, {study});
    std::vector<Claim> claims;
    for (std::size_t arm = 1; arm < trainings.size(); ++arm) {
        claims.push_back({.name = study.key,
                          .subject = study.measure,
                          .sentence = trainings[arm].name + " trains to a lower loss than cross-entropy",
                          .measure = "Over the validation names",
                          .brief = trainings[arm].name,
                          .arms = {"it", "cross-entropy"},
                          .first = study.at(arm),
                          .second = study.at(0)});
    }
    add(document, claims);
}

}  // namespace

Graph network_from(Start start, const NetworkConfig& config, std::size_t rows) {
    return starting_from(start, collapsed_graph(config, rows));
}

Experiment loss_experiment() {
    return {.name = "loss",
            .note = "note 1",
            .about = "A squared error with cross-entropy's gradient",
            .networks = Networks::adjustable,
            .any_activation = true,
            .seeds = 5,
            .steps = 6'000,
            .prepare = [] { return prepared(loss); }};
}

Document loss(const LossOptions& options, const Setup& setup) {
    const Recipe& recipe = setup.recipes.front();
    const Run run = prepare(recipe, setup.material.names, setup.material.where);
    Document document{"lab loss", "note 1", "Where the backward pass begins", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "Note 1 differentiates half a squared error of the probabilities to Ŷ − Y, and goes on as if that were the "
        "gradient of the logits. Three gradients side by side: the note's, the one that this loss really has, through "
        "softmax's Jacobian, and cross-entropy's."});
    document.blocks.emplace_back(Formulas{{"squared_error_forward", "squared_error_backward", "softmax_backward",
                                           "cross_entropy_forward", "cross_entropy_backward"}});
    const Tensors<double> in = drawn(run.recipe.batch, run.recipe.network.vocabulary, recipe.seed);
    add_scales(document, options.scales, in);
    add_saturated(document, run.recipe.network.vocabulary);
    if (setup.setting.torch != nullptr) {
        compare_with_torch(document, in, *setup.setting.torch);
    }
    add_trainings(document, options, setup);
    return document;
}

}  // namespace byhand::lab
