#include "lab/geometry/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/member.h"
#include "base/short_form.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/study.h"
#include "lab/training.h"
#include "manual/stepwise.h"
#include "names/random.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

// One classification on several seeds.
struct Scene {
    std::string key, title;
    double reach = 0;  // the target's share of the way from the loss at weights of 0 to the least
    std::vector<Regression> data = {};
    std::vector<Valley> raw = {}, standardised = {};
};

// ---- measurements ----

std::vector<Scene> scenes_of(const GeometryOptions& options, const Setup& setup) {
    std::vector<Scene> scenes = {
        {"students", "marks and IQ", 0.99}, {"layer", "h, no norm", 0.8}, {"layer_with_norm", "h, norm", 0.8}};
    for (const std::uint64_t seed : setup.seeds) {
        Regression drawn = students(options.students, seed);
        const auto placed = std::ranges::count(drawn.Y, 1);
        if (placed == 0 || placed == static_cast<std::ptrdiff_t>(drawn.n)) {
            throw InputError(
                fmt::format("geometry: of the {} students of seed {} {} placed; take more, or another "
                            "--seed",
                            drawn.n, seed, placed == 0 ? "none is" : "all are"));
        }
        Recipe recipe = setup.recipes.front();
        recipe.seed = seed;
        const auto h = [&](const char* norm) {
            return activations(recipe, norm, options.trained, options.rows, setup.material);
        };
        scenes[0].data.push_back(std::move(drawn));
        scenes[1].data.push_back(h("none"));
        scenes[2].data.push_back(h("before"));
    }
    return scenes;
}

void measure(std::vector<Scene>& scenes, const Setup& setup, const GeometryOptions& options) {
    constexpr double kNothing = 1e-6;
    const std::size_t seeds = setup.seeds.size();
    for (Scene& scene : scenes) {
        scene.raw.resize(seeds);
        scene.standardised.resize(seeds);
    }
    const auto one = [&](std::size_t part) {
        Scene& scene = scenes[part / seeds];
        const std::size_t seed = part % seeds;
        const Regression& raw = scene.data[seed];
        const Regression scaled = standardised(raw);
        const double start = loss_of(scaled, std::vector<double>(scaled.inputs + 1, 0));
        const double least = loss_of(scaled, best_weights(scaled));
        if (least < kNothing) {
            throw InputError(
                fmt::format("geometry: {} rows are so few that {} inputs separate the classes without a "
                            "mistake (seed {}), so there is no least loss; take more {}",
                            raw.n, raw.inputs, setup.seeds[seed], scene.key == "students" ? "--students" : "--rows"));
        }
        const double target = start - scene.reach * (start - least);
        scene.raw[seed] = measure_valley(raw, target, options.steps);
        scene.standardised[seed] = measure_valley(scaled, target, options.steps);
    };
    in_parallel(scenes.size() * seeds, one, setup.setting.progress);
}

// ---- the document ----

// Standardised against raw inputs of each scene.
std::vector<Claim> claims_on(const std::vector<Scene>& scenes) {
    std::vector<Claim> claims;
    for (const Scene& scene : scenes) {
        const auto add = [&](const char* sentence, const std::string& measure, const char* brief,
                             Member<Valley, double> figure, Better better) {
            claims.push_back({scene.key,
                              scene.title,
                              sentence,
                              measure,
                              brief,
                              better,
                              /*by_factors=*/true,
                              /*times=*/2,
                              {"standardised", "raw"},
                              figures_of(scene.standardised, figure),
                              figures_of(scene.raw, figure)});
        };
        add("Standardised inputs make the valley less than half as narrow",
            "Condition number of the inputs' Gram matrix", "condition", &Valley::condition, Better::smaller);
        add("Standardised inputs allow more than twice the rate", "Largest rate that converges", "largest rate",
            &Valley::largest_rate, Better::larger);
        add("Standardised inputs need less than half the steps",
            fmt::format("Steps to {:.0f} % of the way to the least loss, each at its own best rate", 100 * scene.reach),
            "steps", &Valley::steps, Better::smaller);
    }
    return claims;
}

// How far the loss is above the least, step by step.
Study descent_of(const Scene& scene, const Setup& setup, std::size_t steps) {
    Study study{.key = "descent",
                .title = "Loss above the least by step, " + scene.title + ", each at its best rate",
                .arms = {"standardised", "raw"},
                .seeds = setup.seeds.size(),
                .measure = "nats",
                .varied = "step",
                .values = {},
                .by_factors = true};
    for (std::size_t step = 1; step <= steps; step *= 2) {
        study.values.push_back(static_cast<double>(step));
    }
    std::vector<std::vector<double>> losses;  // arm by arm, seed by seed
    for (const bool raw : {false, true}) {
        for (std::size_t seed = 0; seed < study.seeds; ++seed) {
            const Regression data = raw ? scene.data[seed] : standardised(scene.data[seed]);
            const double least = loss_of(data, best_weights(data));
            std::vector<double>& above = losses.emplace_back();
            const auto watch = [&](double loss) {
                constexpr double kRounding = 1e-12;
                above.push_back(std::max(loss - least, kRounding));
                return true;
            };
            descend(data, (raw ? scene.raw : scene.standardised)[seed].rate, steps + 1, watch);
        }
    }
    return filled(study, [&](std::size_t arm, std::size_t value, std::size_t seed) {
        return losses[arm * study.seeds + seed][static_cast<std::size_t>(study.values[value])];
    });
}

// One of the kParts + 1 numbers that divide the range into equal parts, ends included.
double uniform(TorchGenerator& g, double from, double to) {
    constexpr std::uint64_t kParts = 10'000;
    std::int64_t drawn = 0;
    randint(g, kParts + 1, {&drawn, 1});
    return from + (to - from) * static_cast<double>(drawn) / static_cast<double>(kParts);
}

}  // namespace

Regression students(std::size_t count, std::uint64_t seed) {
    constexpr double kLeastIq = 70, kMostIq = 140, kMostMarks = 10;
    TorchGenerator g = torch_seeded(seed);
    Regression data{count, 2, {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const double marks = uniform(g, 0, kMostMarks), iq = uniform(g, kLeastIq, kMostIq);
        const double z = 0.8 * (marks - kMostMarks / 2) + 0.08 * (iq - (kLeastIq + kMostIq) / 2);
        const std::array weights = {1.0F, static_cast<float>(std::exp(z))};  // no and yes, in proportion
        data.x.insert(data.x.end(), {marks, iq});
        data.Y.push_back(static_cast<std::int64_t>(multinomial(g, weights)));
    }
    return data;
}

Regression activations(Recipe recipe, const std::string& norm, std::size_t steps, std::size_t rows,
                       const Material& material) {
    place_norms(recipe.network.layers, norm);
    recipe.steps = steps;
    const Run run = prepare(recipe, material.names, material.where);
    if (run.train.size() < rows) {
        throw InputError(fmt::format("geometry: {} makes only {} examples to train on, and --rows asks for {}",
                                     material.where, run.train.size(), rows));
    }
    const Trained trained = train_one({.recipe = recipe}, material);
    Runner<double> runner(stepwise_graph(run.recipe.network, rows));
    copy_into(runner.tensors(), trained.state);
    const ExampleRows first = run.train.rows(0, rows);
    runner.set_batch(first.view());
    const std::vector<Layer> all = layers(run.recipe.network);
    const std::string h = all[all.size() - 2].value("h");
    runner.forward_to(h);
    Regression data{rows, all.back().inputs, copy_of(runner.tensors(), h), {}};
    for (std::size_t i = 0; i < rows; ++i) {
        data.Y.push_back(first.Y[i] == 0 ? 1 : 0);
    }
    return data;
}

Experiment geometry_experiment() {
    return {.name = "geometry",
            .note = "notes 2, 4",
            .about = "Inputs of unequal scale: long narrow valleys",
            .networks = Networks::adjustable,
            .seeds = 5,
            .prepare = [] { return prepared(geometry); }};
}

Document geometry(const GeometryOptions& options, const Setup& setup) {
    std::vector<Scene> scenes = scenes_of(options, setup);
    measure(scenes, setup, options);
    Document document{"lab geometry", "notes 2, 4", "Long narrow valleys", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "One unit decides yes or no, whether a student is placed or whether a name ends after h of a layer, from raw "
        "inputs and from the same inputs standardised, column by column, as batch norm does it; the least loss is the "
        "same. Medians over {} seeds; {} steps at most.",
        setup.seeds.size(), options.steps)});
    document.blocks.emplace_back(Formulas{
        {"matmul_forward", "cross_entropy_with_gradient", "linear_weight_backward", "batchnorm_normalise", "descend"}});
    add(document, claims_on(scenes));
    add(document, {descent_of(scenes.front(), setup, options.steps)});
    return document;
}

}  // namespace byhand::lab
