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
#include "base/quantile.h"
#include "lab/figures.h"
#include "lab/geometry/valley.h"
#include "lab/parallel.h"
#include "lab/training.h"
#include "manual/stepwise.h"
#include "names/random.h"
#include "report/rows.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

using Figure = Member<Valley, double>;

struct Quantity {
    const char* words;
    const char* key;
    Figure of;
};
constexpr std::array<Quantity, 9> kQuantities = {{
    {"largest/smallest column", "columns", &Valley::columns},
    {"condition, Gram matrix", "condition", &Valley::condition},
    {"condition, curvature", "curvature", &Valley::narrow},
    {"2/λ at weights of 0", "theory_at_start", &Valley::theory_at_start},
    {"2/λ at the least loss", "theory_at_best", &Valley::theory_at_best},
    {"largest rate measured", "largest_rate", &Valley::largest_rate},
    {"best rate of the grid", "best_rate", &Valley::best_rate},
    {"steps to the target", "steps", &Valley::steps},
    {"loss there", "loss", &Valley::loss},
}};

// One classification on several seeds.
struct Scene {
    std::string key, brief, title;
    double reach = 0;  // of the way from the loss at weights of 0 to the least, the share that makes the target
    std::vector<Regression> data;
    std::vector<double> targets;
    std::vector<Valley> raw, standardised;
};

double median(Figure figure, const std::vector<Valley>& valleys) {
    return quantile(figures_of(valleys, figure), 0.5);
}

// "12.7", "1124", and with an exponent where that is shorter: "3.7e5", "6.9e-4". `never` stands for the infinite.
Cell brief(double value, const std::string& never = "infinite") {
    constexpr double kLong = 1e5, kShort = 1e-2, kWhole = 1e3;
    if (!std::isfinite(value)) {
        return {never, number(value)};
    }
    if (value >= kLong || (value > 0 && value < kShort)) {
        const int power = static_cast<int>(std::floor(std::log10(value)));
        return {fmt::format("{:.1f}e{}", value / std::pow(10, power), power), number(value)};
    }
    return value >= kWhole ? fixed(value, 0) : significant(value, 3);
}

// The median, and the range: the figures differ by factors from seed to seed.
Cell median_and_range(const std::vector<double>& values, const std::string& never) {
    const Cell low = brief(quantile(values, 0), never), high = brief(quantile(values, 1), never);
    const Cell middle = brief(quantile(values, 0.5), never);
    const std::string range = fmt::format(" ({} to {})", low.shown, high.shown);
    return {middle.shown + (low.value == high.value ? "" : range),
            {{"median", middle.value}, {"least", low.value}, {"most", high.value}}};
}

// ---- measurements ----

std::vector<Scene> scenes_of(const GeometryOptions& options, const Material& material) {
    std::vector<Scene> scenes = {
        {"students", "students", "Marks and IQ: is the student placed?", 0.99, {}, {}, {}, {}},
        {"layer", "h, no norm", "h of a layer without a norm: does the name end here?", 0.8, {}, {}, {}, {}},
        {"layer_with_norm",
         "h, norm",
         "h of a layer, its norm before the tanh: does the name end?",
         0.8,
         {},
         {},
         {},
         {}},
    };
    for (const std::uint64_t seed : list(options.seeds)) {
        Regression drawn = students(options.students, seed);
        const auto placed = std::ranges::count(drawn.Y, 1);
        if (placed == 0 || placed == static_cast<std::ptrdiff_t>(drawn.n)) {
            throw InputError(
                fmt::format("geometry: of the {} students of seed {} {} placed; take more, or another "
                            "--seed",
                            drawn.n, seed, placed == 0 ? "none is" : "all are"));
        }
        Recipe recipe = options.recipe;
        recipe.seed = seed;
        scenes[0].data.push_back(std::move(drawn));
        scenes[1].data.push_back(activations(recipe, NormPlace::none, options.trained, options.rows, material));
        scenes[2].data.push_back(activations(recipe, NormPlace::before, options.trained, options.rows, material));
    }
    return scenes;
}

void measure(std::vector<Scene>& scenes, const GeometryOptions& options, const Setting& setting) {
    constexpr double kNothing = 1e-6;
    const std::size_t seeds = options.seeds.count;
    for (Scene& scene : scenes) {
        scene.targets.resize(seeds);
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
            throw InputError(fmt::format(
                "geometry: {} rows are so few that {} inputs separate the classes without a "
                "mistake (seed {}), so there is no least loss; take more {}",
                raw.n, raw.inputs, options.seeds.first + seed, scene.key == "students" ? "--students" : "--rows"));
        }
        const ValleyLimits limits{.steps = options.steps};
        scene.targets[seed] = start - scene.reach * (start - least);
        scene.raw[seed] = measure_valley(raw, scene.targets[seed], limits);
        scene.standardised[seed] = measure_valley(scaled, scene.targets[seed], limits);
    };
    in_parallel(scenes.size() * seeds, one, setting.progress);
}

// ---- the document ----

void add_scene(Document& document, const Scene& scene, std::size_t limit) {
    Table table{fmt::format("{} ({} rows, {} inputs)", scene.title, scene.data.front().n, scene.data.front().inputs),
                {"", "raw", "standardised"},
                {}};
    Json field = {{"name", scene.key}, {"reach", scene.reach}, {"targets", scene.targets}};
    for (const Quantity& quantity : kQuantities) {
        std::vector<Cell>& row = table.rows.emplace_back(std::vector<Cell>{quantity.words});
        const std::string never = quantity.of == &Valley::steps ? fmt::format("> {}", limit) : "infinite";
        for (const auto& [key, valleys] : {std::pair{"raw", &scene.raw}, {"standardised", &scene.standardised}}) {
            const std::vector<double> values = figures_of(*valleys, quantity.of);
            row.push_back(median_and_range(values, never));
            field[key][quantity.key] = numbers(values);
        }
    }
    const auto share = [](const std::vector<Valley>& valleys) {
        return significant(median(&Valley::largest_rate, valleys) / median(&Valley::theory_at_best, valleys), 3);
    };
    table.rows.push_back({"rate over 2/λ at the least", share(scene.raw), share(scene.standardised)});
    document.blocks.emplace_back(std::move(table));
    document.data["scenes"].push_back(std::move(field));
}

// The two inputs whose weights lie in the narrowest valley.
std::pair<std::size_t, std::size_t> narrowest_pair(const Regression& data) {
    const std::size_t size = data.inputs + 1;
    const std::vector<double> bend = curvature(data, best_weights(data));
    std::pair<std::size_t, std::size_t> pair = {0, 1};
    double narrowest = 0;
    for (std::size_t a = 0; a < data.inputs; ++a) {
        for (std::size_t b = a + 1; b < data.inputs; ++b) {
            const double condition =
                condition_number({bend[a * size + a], bend[a * size + b], bend[a * size + b], bend[b * size + b]}, 2);
            if (std::isfinite(condition) && condition > narrowest) {
                narrowest = condition;
                pair = {a, b};
            }
        }
    }
    return pair;
}

// The first seed's valleys from above.
void add_contours(Document& document, const std::vector<Scene>& scenes) {
    struct View {
        const char *of, *x_label, *y_label;
        const Regression& data;
        std::pair<std::size_t, std::size_t> inputs;
    };
    const Regression &marks = scenes[0].data.front(), &layer = scenes[1].data.front();
    Table table{
        "contours", {"weights of", "inputs", {"length / width", "axes"}, {"left of the rise", "left"}, "steps"}, {}};
    for (const View& view : {View{"marks and IQ", "weight of the marks", "of the IQ", marks, {0, 1}},
                             View{"two units of h", "weight of one", "of the other", layer, narrowest_pair(layer)}}) {
        Json field = {{"of", view.of}};
        for (const auto& [how, data] : {std::pair{"raw", view.data}, {"standardised", standardised(view.data)}}) {
            Plot plot{fmt::format("the loss from above: {}, {}", view.of, how), view.x_label, view.y_label, {}};
            Contours contours = contours_of(data, view.inputs.first, view.inputs.second, std::move(plot));
            document.plots.push_back(std::move(contours.plot));
            table.rows.push_back({view.of,
                                  how,
                                  significant(contours.axes, 3),
                                  {fmt::format("{:.2g} %", 100 * contours.left), contours.left},
                                  whole(contours.steps)});
            field[how] = json_of_rows(table).back();
        }
        document.data["contours"].push_back(std::move(field));
    }
    document.blocks.emplace_back(std::move(table));
}

// The claim holds where both the condition number and the steps are so many times smaller.
constexpr double kMuch = 2;

Table claims_table(const std::vector<Scene>& scenes, std::size_t limit) {
    Table table{"does standardising help?",
                {"", {"condition, times smaller", "condition_gain"}, "steps, raw", "standardised", {"claim", "holds"}},
                {}};
    for (const Scene& scene : scenes) {
        const double raw_condition = median(&Valley::condition, scene.raw);
        const double condition = median(&Valley::condition, scene.standardised);
        const double gain = raw_condition == condition ? 1 : raw_condition / condition;  // 1 where both are infinite
        const double raw = median(&Valley::steps, scene.raw), steps = median(&Valley::steps, scene.standardised);
        const bool holds = gain > kMuch && std::isfinite(steps) && raw > kMuch * steps;
        const std::string never = fmt::format("> {}", limit);
        table.rows.push_back({scene.brief,
                              brief(gain),
                              brief(raw, never),
                              brief(steps, never),
                              {holds ? "holds" : "does not hold", holds}});
    }
    return table;
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

Regression activations(Recipe recipe, NormPlace norm, std::size_t steps, std::size_t rows, const Material& material) {
    recipe.network.norm.place = norm;
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

Document geometry(const GeometryOptions& options, const Material& material, const Setting& setting) {
    std::vector<Scene> scenes = scenes_of(options, material);
    measure(scenes, options, setting);
    Document document{"lab geometry", "notes 2, 4", "Long narrow valleys", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "Note 2's first motivation: to normalise a layer's input fixes the geometry of the loss for the weights and "
        "biases behind it. Note 4 draws it, with marks (0 to 10) and IQ (70 to 140) as inputs to a yes or no. Where "
        "one input is ten times as large as another, the loss bends a hundred times as sharply in the direction of "
        "its weight, and its contours are long and narrow. A rate above 2/λ, λ the largest eigenvalue of the "
        "curvature, throws gradient descent from one side of such a valley to the other; at a rate below it, the "
        "distance along the valley shrinks at a step by no more than twice the smallest eigenvalue over the largest."});
    document.blocks.emplace_back(Text{
        "Here one unit decides yes or no, from the raw inputs and from the same inputs standardised, column by column, "
        "as batch norm does it with γ = 1 and β = 0. The least loss is the same in both. Compare the condition "
        "numbers, the rates, and the steps to the same loss, each at its own best rate."});
    document.blocks.emplace_back(Formulas{
        {"matmul_forward", "cross_entropy_with_gradient", "linear_weight_backward", "batchnorm_normalise", "descend"}});
    document.blocks.emplace_back(Text{fmt::format(
        "Medians over {} seeds (least to most). Gradient descent begins at weights of 0; the target is {:.0f} % (for h "
        "{:.0f} %) of the way from the loss there to the least. A rate converges if the loss falls at every step "
        "towards the end of {} steps; the best rate is taken "
        "of the largest down to a quarter of it. \"> {}\": not within so many steps.",
        options.seeds.count, 100 * scenes[0].reach, 100 * scenes[1].reach, ValleyLimits{}.convergence_steps,
        options.steps)});
    for (const Scene& scene : scenes) {
        add_scene(document, scene, options.steps);
    }
    document.blocks.emplace_back(Text{
        "The largest rate is bounded by 2/λ where the loss is least and gradient descent has to stay. Before, the loss "
        "bends more sharply (p·(1 − p) is largest at weights of 0), and a path that gets no further is bounded "
        "there."});
    document.blocks.emplace_back(Text{
        "The plots show the first seed: contours at a loss of 0.01, 0.04, 0.16 … above the least, in two weights (of h "
        "the two whose valley is narrowest), the others held at the least loss, and gradient descent at 1.8/λ from the "
        "lowest contour on."});
    add_contours(document, scenes);
    const Table claims = claims_table(scenes, options.steps);
    const Json verdicts = json_of_rows(claims);
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        for (const char* key : {"condition_gain", "holds"}) {
            document.data["scenes"][i][key] = verdicts[i][key];
        }
    }
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "The claim holds where both the condition number and the steps are more than {} times smaller. Standardising "
        "mends columns of unequal size and columns far from 0, nothing else: the inputs' correlation stays. "
        "(--recipe makemore-deep looks behind five layers.)",
        kMuch)));
    document.blocks.emplace_back(claims);
    return document;
}

}  // namespace byhand::lab
