#include "lab/geometry/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/member.h"
#include "base/short_form.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/geometry/valley.h"
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
        scene.raw[seed] = measure_valley(raw, target, {.steps = options.steps});
        scene.standardised[seed] = measure_valley(scaled, target, {.steps = options.steps});
    };
    in_parallel(scenes.size() * seeds, one, setup.setting.progress);
}

// ---- the document ----

// Standardised against raw inputs of each scene.
std::vector<Claim> claims_on(const std::vector<Scene>& scenes) {
    std::vector<Claim> claims;
    for (const Scene& scene : scenes) {
        const auto add = [&](const char* sentence, const std::string& measure, const char* brief,
                             Member<Valley, double> figure, Better better, double times) {
            claims.push_back({scene.key,
                              scene.title,
                              sentence,
                              measure,
                              brief,
                              {"standardised", "raw"},
                              figures_of(scene.standardised, figure),
                              figures_of(scene.raw, figure),
                              better,
                              /*by_factors=*/true,
                              times});
        };
        add("Standardised inputs make the valley less than half as narrow",
            "Condition number of the inputs' Gram matrix", "condition", &Valley::condition, Better::smaller, 2);
        add("Standardised inputs allow more than twice the rate", "Largest rate that converges", "largest rate",
            &Valley::largest_rate, Better::larger, 2);
        add("Standardised inputs need less than half the steps",
            fmt::format("Steps to {:.0f} % of the way to the least loss, each at its own best rate", 100 * scene.reach),
            "steps", &Valley::steps, Better::smaller, 2);
    }
    return claims;
}

// How far the largest rate is from 2/λ at the least loss.
std::string against_theory(const std::vector<Scene>& scenes) {
    std::string words;
    for (const Scene& scene : scenes) {
        const auto share = [](const std::vector<Valley>& valleys) {
            return median_of(figures_of(valleys, [](const Valley& one) { return one.largest_rate / one.theory; }))
                .median;
        };
        words += fmt::format("{}{:.3g} and {:.3g} times ({})", words.empty() ? "" : ", ", share(scene.raw),
                             share(scene.standardised), scene.key);
    }
    return "The largest rate, raw and standardised, over 2/λ at the least loss: " + words + ".";
}

// The first seed's valleys from above, in the students' two weights.
void add_contours(Document& document, const Regression& data) {
    for (const auto& [how, shown] : {std::pair{"raw", data}, {"standardised", standardised(data)}}) {
        Plot plot{fmt::format("the loss from above: marks and IQ, {}", how), "weight of the marks", "of the IQ", {}};
        Contours contours = contours_of(shown, std::move(plot));
        document.data["contours"].push_back({{"inputs", how}, {"axes", contours.axes}, {"left", contours.left}});
        document.plots.push_back(std::move(contours.plot));
    }
}

// One of 0 to `most`, in so many equal parts.
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
    const std::span<const double> values = runner.tensors()[h];
    Regression data{rows, all.back().inputs, {values.begin(), values.end()}, {}};
    for (std::size_t i = 0; i < rows; ++i) {
        data.Y.push_back(first.Y[i] == 0 ? 1 : 0);
    }
    return data;
}

Experiment geometry_experiment() {
    const auto prepare = [] {
        return prepared<GeometryOptions>(
            [](GeometryOptions& options) -> std::vector<OwnOption> {
                constexpr double kMost = 1'000'000;
                return {{"--students", "Number of students", &options.students, 3, kMost},
                        {"--trained", "Steps of training before the layer is examined", &options.trained, 0, kMost},
                        {"--rows", "Number of the layer's examples", &options.rows, 2, kMost},
                        {"--steps", "Most steps of gradient descent", &options.steps, 1, kMost}};
            },
            geometry);
    };
    return {.name = "geometry",
            .note = "notes 2, 4",
            .about = "Inputs of unequal scale: long narrow valleys",
            .networks = Networks::adjustable,
            .seeds = 5,
            .prepare = prepare};
}

Document geometry(const GeometryOptions& options, const Setup& setup) {
    std::vector<Scene> scenes = scenes_of(options, setup);
    measure(scenes, setup, options);
    Document document{"lab geometry", "notes 2, 4", "Long narrow valleys", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "Inputs of unequal scale make the loss bend unequally: its contours are long and narrow, and a rate above 2/λ, "
        "λ the largest eigenvalue of the curvature, leads from one side of the valley to the other. Here one unit "
        "decides yes or no, whether a student is placed or whether a name ends after h of a layer, from raw inputs and "
        "from the same inputs standardised, column by column, as batch norm does it; the least loss is the same. "
        "Medians over {} seeds; {} steps at most.",
        setup.seeds.size(), options.steps)});
    document.blocks.emplace_back(Formulas{
        {"matmul_forward", "cross_entropy_with_gradient", "linear_weight_backward", "batchnorm_normalise", "descend"}});
    add(document, claims_on(scenes));
    document.blocks.emplace_back(Text{against_theory(scenes)});
    document.blocks.emplace_back(
        Text{"The plots show the first seed's contours at a loss of 0.01, 0.04, 0.16 … above the least, and gradient "
             "descent at 1.8/λ."});
    add_contours(document, scenes.front().data.front());
    return document;
}

}  // namespace byhand::lab
