#include "lab/undo/undo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/member.h"
#include "base/short_form.h"
#include "base/value.h"
#include "judge/finding.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/training.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

// ---- the identity ----

// For each norm of the network: what it reads, the gradient of what it hands on, and γ = 1 and β = 0.
std::vector<Tensors<double>> norm_inputs(const FirstStep& first, const Batch& batch) {
    Runner<float> runner(stepwise_graph(first.network(), batch.rows));
    copy_into(runner.tensors(), first.state);
    runner.set_batch(batch);
    runner.forward();
    runner.backward();
    std::vector<Tensors<double>> inputs;
    for (const Layer& layer : layers_with_norm(first.network())) {
        inputs.push_back(batchnorm_inputs(
            copy_of(runner.tensors(), layer.value("hprebn")), copy_of(runner.tensors(), gradient_of(handed_on(layer))),
            std::vector<double>(layer.outputs, 1), std::vector<double>(layer.outputs, 0)));
    }
    return inputs;
}

// Both passes with γ = √(σ² + ε) and β = μ of the batch: all of it follows from what the norm reads.
template <class T>
Tensors<T> undone(const Graph& norm, const Tensors<double>& given) {
    Tensors<T> made(given);
    run(norm.forward, made);
    std::ranges::transform(made["bnvar_inv"], made["bngain"].begin(), [](const T& inverse) { return T{1} / inverse; });
    std::ranges::copy(made["bnmeani"], made["bnbias"].begin());
    return forward_and_backward(norm, made);
}

// Another batch by the same γ and β: in training by its own mean and deviation, in evaluation by the first one's.
Tensors<double> next_batch(const Graph& norm, const Tensors<double>& first, Tensors<double> next) {
    const TensorSpec mean{"bnmean_running", {first["bnmeani"].size()}}, variance{"bnvar_running", mean.shape};
    std::ranges::copy(first["bngain"], next["bngain"].begin());
    std::ranges::copy(first["bnbias"], next["bnbias"].begin());
    next.put(mean, first.copy_of("bnmeani"));
    next.put(variance, first.copy_of("bnvar"));
    run(norm.forward, next);
    run(norm.evaluation, next);
    return next;
}

void compare_with_torch(std::vector<Agreement>& agreements, const std::string& name, const Graph& norm,
                        const Tensors<double>& exact, const Tensors<double>& given, const ReferenceOperations* torch) {
    const Tensors<float> ours = undone<float>(norm, given);
    const Tensors<Rounded> bounds = undone<Rounded>(norm, given);
    const auto add = [&](const char* what, const char* value, const std::vector<double>& reference) {
        agreements.push_back(agreement(name + what, ours.copy_of(value), bounds.copy_of(value), reference));
    };
    add(" by hand in float: y from x", "hpreact", given.copy_of("hprebn"));
    if (torch != nullptr) {
        add(": y from LibTorch's", "hpreact", evaluate(*torch, "hpreact", exact));
        add(": dx from LibTorch's", "dhprebn", evaluate(*torch, "dhprebn", exact));
    }
}

// Logits and loss in double.
struct WholeNetwork {
    std::vector<double> logits;
    double loss = 0;
};
WholeNetwork run_forward(Runner<double>& runner) {
    runner.forward();
    return {copy_of(runner.tensors(), "logits"), runner.tensors()["loss"][0]};
}

WholeNetwork with_norms_undone(const FirstStep& first) {
    Runner<double> runner(stepwise_graph(first.network(), first.run.recipe.batch));
    Tensors<double>& tensors = runner.tensors();
    copy_into(tensors, first.state);
    runner.set_batch(first.batch.view());
    for (const Layer& layer : layers_with_norm(first.network())) {
        runner.forward_to(layer.value("bnvar_inv"));
        std::ranges::transform(tensors[layer.value("bnvar_inv")], tensors[layer.value("bngain")].begin(),
                               [](double inverse) { return 1 / inverse; });
        std::ranges::copy(tensors[layer.value("bnmeani")], tensors[layer.value("bnbias")].begin());
    }
    return run_forward(runner);
}

// The same weights without any norm.
WholeNetwork without_norms(const FirstStep& first) {
    NetworkConfig plain = first.network();
    place_norms(plain.layers, "none");
    Runner<double> runner(stepwise_graph(plain, first.run.recipe.batch));
    for (const TensorSpec& spec : state(plain)) {
        std::ranges::copy(first.state[spec.name], runner.tensors()[spec.name].begin());
    }
    runner.set_batch(first.batch.view());
    return run_forward(runner);
}

void add_identity(Document& document, const FirstStep& first, const Setting& setting) {
    const NormConfig& config = first.network().norm;
    NormConfig by_variance = config;  // a batch's is at hand
    by_variance.running_spread = RunningSpread::variance;
    DrawnBatch second = first.batch;
    TorchGenerator generator = first.run.generator;
    draw_batch(second, first.run.train, generator);
    const std::vector<Tensors<double>> given = norm_inputs(first, first.batch.view());
    const std::vector<Tensors<double>> next = norm_inputs(first, second.view());
    const std::vector<Layer> layers = layers_with_norm(first.network());
    const std::size_t n = first.batch.view().rows;

    Table table{"undone on the first batch; shares of the largest magnitude, in double",
                {{"", "norm"},
                 {"y from x", "y_from_x"},
                 {"next batch", "next_batch"},
                 {"evaluated", "next_batch_evaluated"},
                 {"dx from dy", "dx_from_dy"}},
                {}};
    std::vector<Agreement> agreements;
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const Graph norm = operation_graph(op::kBatchnorm, by_variance, n, layers[l].outputs);
        const Tensors<double> exact = undone<double>(norm, given[l]), other = next_batch(norm, exact, next[l]);
        const std::span<const double> x = given[l]["hprebn"], next_x = next[l]["hprebn"];
        table.rows.push_back({handed_on(layers[l]), significant(share(exact["hpreact"], x), 2),
                              significant(share(other["hpreact"], next_x), 2),
                              significant(share(other["eval_hpreact"], next_x), 2),
                              significant(share(exact["dhprebn"], given[l]["dhpreact"]), 2)});
        const auto torch = setting.torch == nullptr
                               ? nullptr
                               : setting.torch->single_operation(op::kBatchnorm, config, n, layers[l].outputs);
        compare_with_torch(agreements, handed_on(layers[l]), norm, exact, given[l], torch.get());
    }
    document.data["identity"] = json_of_rows(table);
    document.blocks.emplace_back(table);
    add_agreements(document, "float by hand, by the limits of rounding in float", agreements);

    const WholeNetwork undone_one = with_norms_undone(first), plain = without_norms(first);
    const double logits = share(undone_one.logits, plain.logits),
                 worst = largest_magnitude(numbers_of_column(table, "y_from_x"));
    document.data["network"] = {{"loss_undone", number(undone_one.loss)},
                                {"loss_without_norm", number(plain.loss)},
                                {"logits", number(logits)}};
    constexpr double kRounding = 1e-9;
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "The claim {}. On the batch that μ and σ are taken from, y equals x up to {:.1g} of its size. With every norm "
        "undone the network's loss on that batch is {:.6f}, and that of the same weights without any norm {:.6f}; the "
        "logits differ by {:.1g} of their size. On the next batch, which has another mean and deviation, the same γ "
        "and β leave y up to {:.2g} of its size away from x: only in evaluation, by fixed figures, is the norm undone "
        "for every input. The backward pass is no identity even on the same batch: μ and σ move with x, so dx is not "
        "dy.",
        worst <= kRounding && logits <= kRounding ? "holds" : "does not hold here", worst, undone_one.loss, plain.loss,
        logits, largest_magnitude(numbers_of_column(table, "next_batch")))));
}

// ---- where γ and β go ----

// What is learned, and what would undo the norm.
struct Pair {
    const char* name;  // "γ"
    const char* goal;  // "σ"
    const char* key;   // in the JSON
    Member<Moment, std::vector<double>> value, target;
};
constexpr Pair kGain = {"γ", "σ", "gain", &Moment::gain, &Moment::deviation};
constexpr Pair kBias = {"β", "μ", "bias", &Moment::bias, &Moment::mean};

// The mean distance over the units.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t unit = 0; unit < a.size(); ++unit) {
        sum += std::abs(a[unit] - b[unit]);
    }
    return sum / static_cast<double>(a.size());
}

// Where γ and β go in training, beside σ and μ, and the claims that they go there.
std::vector<Claim> add_drift(Document& document, const std::vector<Moments>& trainings) {
    std::vector<Claim> claims;
    for (const Pair& pair : {kGain, kBias}) {
        Study study{.key = pair.key,
                    .title = fmt::format("|{} − {}|, mean over the units", pair.name, pair.goal),
                    .arms = {pair.name, fmt::format("{} as it began", pair.name)},
                    .seeds = trainings.size(),
                    .measure = "",
                    .varied = "step",
                    .log_x = false};
        study.values = figures_of(trainings.front(), [](const Moment& one) { return static_cast<double>(one.step); });
        study = filled(std::move(study), [&](std::size_t arm, std::size_t m, std::size_t seed) {
            const Moments& moments = trainings[seed];
            return distance((arm == 0 ? moments[m] : moments.front()).*pair.value, moments[m].*pair.target);
        });
        claims.push_back(
            claim_on(study,
                     {.name = pair.key,
                      .subject = "",
                      .sentence = fmt::format("Training moves {} towards {}", pair.name, pair.goal),
                      .measure = fmt::format("|{} − {}| at the end, less what it would be if {} had stayed", pair.name,
                                             pair.goal, pair.name),
                      .brief = fmt::format("|{} − {}|", pair.name, pair.goal)},
                     [](const std::vector<double>& moments) { return moments.back(); }));
        add(document, {std::move(study)});
    }
    return claims;
}

// ---- the slip ----

// The note's slip: the update of γ reads the gradient of β.
std::unique_ptr<Trainable> with_slip(const NetworkConfig& network, std::size_t rows) {
    Graph slipped = fused_graph(network, rows);
    for (Step& step : slipped.update) {
        if (Value made = value_of(step.makes); made.kind == ValueKind::updated && made.base == "bngain") {
            made.kind = ValueKind::gradient;
            made.base = "bnbias";
            step.reads[1] = made.name();
        }
    }
    return make_step_model(std::move(slipped));
}

// The largest change of a unit's γ − β since the beginning.
double largest_parting(const UndoTrainings& trainings, const NetworkConfig& network) {
    double most = 0;
    for (std::size_t s = 0; s < trainings.slip.size(); ++s) {
        const Tensors<float>& end = trainings.slip[s].state;
        const Moment& begin = trainings.moments[s].front();
        std::size_t unit = 0;
        for (const Layer& layer : layers_with_norm(network)) {
            const std::span<const float> gain = end[layer.value("bngain")], bias = end[layer.value("bnbias")];
            for (std::size_t j = 0; j < layer.outputs; ++j, ++unit) {
                const double apart = static_cast<double>(gain[j]) - static_cast<double>(bias[j]);
                most = larger(most, std::abs(apart - (begin.gain[unit] - begin.bias[unit])));
            }
        }
    }
    return most;
}

Claim slip_claim(const UndoTrainings& trainings, const NetworkConfig& network) {
    return {.name = "slip",
            .subject = "",
            .sentence = "The note's slip, γ ← γ − α·dL/dβ, has a cost",
            .measure = fmt::format("Validation loss without the slip and with it, by which γ − β of a unit changes by "
                                   "{:.1g} at most",
                                   largest_parting(trainings, network)),
            .brief = "validation loss",
            .arms = {"dL/dγ", "dL/dβ"},
            .first = figures_of(trainings.right, &Trained::val),
            .second = figures_of(trainings.slip, &Trained::val)};
}

constexpr std::size_t kRowsOfMoments = 2048;  // examples that a unit's μ and σ are taken over, if there are

}  // namespace

Moment moment_of(std::size_t step, const Tensors<float>& state, const NetworkConfig& network, const Examples& examples,
                 std::size_t rows) {
    Runner<float> runner(stepwise_graph(network, rows));
    copy_into(runner.tensors(), state);
    const ExampleRows first = examples.rows(0, rows);
    runner.set_batch(first.view());
    const std::vector<Layer> layers = layers_with_norm(network);
    runner.forward_to(layers.back().value("bnvar_inv"));
    Moment moment{step, {}, {}, {}, {}};
    for (const Layer& layer : layers) {
        const auto append = [&](std::vector<double>& to, const char* name) {
            const std::span<const float> values = runner.tensors()[layer.value(name)];
            to.insert(to.end(), values.begin(), values.end());
        };
        append(moment.gain, "bngain");
        append(moment.bias, "bnbias");
        append(moment.mean, "bnmeani");
        append(moment.deviation, "bnvar_inv");
    }
    std::ranges::transform(moment.deviation, moment.deviation.begin(), [](double inverse) { return 1 / inverse; });
    return moment;
}

UndoTrainings train_for_undo(const FirstStep& first, const Setup& setup) {
    constexpr std::size_t kMoments = 20;  // in a training, besides its beginning
    const std::size_t every = std::max<std::size_t>(1, setup.steps / kMoments);
    const std::size_t rows = std::min(kRowsOfMoments, first.run.train.size());
    const Study study{
        .key = "slip", .title = "", .arms = {"right", "slip"}, .seeds = setup.seeds.size(), .measure = ""};
    UndoTrainings both{{}, {}, std::vector<Moments>(study.seeds)};
    const auto make = [&](std::size_t arm, std::size_t, std::size_t seed) {
        Training training{.recipe = in_steps(setup.recipes.front(), setup.steps)};
        if (arm == 1) {
            training.make = with_slip;
            return training;
        }
        training.watch = [&, seed](std::size_t step, Trainable& model) {
            if (step % every == 0 || step == setup.steps) {
                both.moments[seed].push_back(moment_of(step, model.save(), first.network(), first.run.train, rows));
            }
        };
        return training;
    };
    std::vector<Trained> trained = train(study, make, setup);
    const auto half = trained.begin() + static_cast<std::ptrdiff_t>(study.seeds);
    both.right.assign(trained.begin(), half);
    both.slip.assign(half, trained.end());
    return both;
}

Experiment undo_experiment() {
    const auto prepare = [] { return Prepared{{}, undo}; };
    return {.name = "undo",
            .note = "note 4",
            .about = "γ = σ and β = μ: does training undo the norm?",
            .networks = Networks::adjustable,
            .seeds = 5,
            .steps = 20'000,
            .prepare = prepare};
}

Document undo(const Setup& setup) {
    const Recipe& recipe = setup.recipes.front();
    if (layers_with_norm(recipe.network).empty() || !recipe.network.norm.affine) {
        throw InputError(
            "undo needs a norm with γ and β to undo it: --norm before or after, and a recipe that has them");
    }
    Document document{"lab undo", "note 4", "What γ and β can undo", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "With γ = √(σ² + ε) and β = μ the norm is the identity, so that a network can undo it. First, whether that "
        "holds; then whether training moves γ and β there, and what the note's slip would do."});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_normalise", "batchnorm_scale_shift",
                  "batchnorm_gain_backward", "batchnorm_bias_backward", "descend"}});
    const FirstStep first = first_step(recipe, setup.material);
    add_identity(document, first, setup.setting);
    const UndoTrainings trainings = train_for_undo(first, setup);
    std::vector<Claim> claims;
    if (std::ranges::all_of(trainings.right, &Trained::finite)) {
        claims = add_drift(document, trainings.moments);
    } else {
        document.blocks.emplace_back(Text{"A training met a loss that is not finite: where γ and β go is not shown."});
    }
    claims.push_back(slip_claim(trainings, first.network()));
    add(document, claims);
    return document;
}

}  // namespace byhand::lab
