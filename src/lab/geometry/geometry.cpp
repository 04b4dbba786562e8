#include "lab/geometry/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/quantile.h"
#include "lab/geometry/contours.h"
#include "lab/geometry/eigen.h"
#include "lab/geometry/scales.h"
#include "lab/geometry/valley.h"
#include "lab/parallel.h"

namespace byhand::lab {
namespace {

// One question on several seeds.
struct Scene {
    std::string name;  // for programs
    std::string title;
    double reach = 0;  // the loss to reach: so much of the way from weights of 0 to the least
    std::vector<YesOrNo> questions;
    std::vector<double> targets;
    std::vector<Valley> raw, standardised;
};

// A line of the table: what, and its value on one seed.
struct Quantity {
    const char* words;
    const char* field;
    double (*of)(const Valley& valley);
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<Quantity> kQuantities = {
    {"largest/smallest column", "columns", [](const Valley& v) { return v.columns; }},
    {"condition, Gram matrix", "condition", [](const Valley& v) { return v.condition; }},
    {"condition, curvature", "curvature", [](const Valley& v) { return v.narrow; }},
    {"2/λ at weights of 0", "theory_at_start", [](const Valley& v) { return v.theory_at_start; }},
    {"2/λ at the least loss", "theory_at_best", [](const Valley& v) { return v.theory_at_best; }},
    {"largest rate measured", "largest_rate", [](const Valley& v) { return v.largest_rate; }},
    {"best rate of the grid", "best_rate", [](const Valley& v) { return v.best_rate; }},
    {"steps to the target", "steps",
     [](const Valley& v) { return v.steps ? static_cast<double>(*v.steps) : kInfinity; }},
    {"loss there", "loss", [](const Valley& v) { return v.loss; }},
};

std::vector<double> values_of(const Quantity& quantity, const std::vector<Valley>& valleys) {
    std::vector<double> values;
    values.reserve(valleys.size());
    for (const Valley& valley : valleys) {
        values.push_back(quantity.of(valley));
    }
    return values;
}

// "12.7", "1124", and with an exponent where that is shorter: "3.7e5", "6.9e-4".
std::string brief(double value) {
    constexpr double kLong = 1e5, kShort = 1e-2, kWhole = 1e3;
    if (value >= kLong || (value > 0 && value < kShort)) {
        const int power = static_cast<int>(std::floor(std::log10(value)));
        return fmt::format("{:.1f}e{}", value / std::pow(10, power), power);
    }
    return value >= kWhole ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

// The median and what lies around it: the figures differ by factors from seed to seed. `never` stands for what is
// infinite.
Cell median_of(const std::vector<double>& values, const std::string& never) {
    const double low = quantile(values, 0), middle = quantile(values, 0.5), high = quantile(values, 1);
    const auto shown = [&](double value) { return std::isfinite(value) ? brief(value) : never; };
    Cell cell(low == high ? shown(middle) : fmt::format("{} ({} to {})", shown(middle), shown(low), shown(high)));
    cell.value = {{"median", significant(middle, 3).value},
                  {"least", significant(low, 3).value},
                  {"most", significant(high, 3).value}};
    return cell;
}

// ---- measuring ----

void check_answers(const YesOrNo& question, std::uint64_t seed) {
    const auto yes = std::ranges::count(question.Y, 1);
    if (yes == 0 || yes == static_cast<std::ptrdiff_t>(question.n)) {
        throw InputError(fmt::format("geometry: of the {} students of seed {} {} placed; take more, or another --seed",
                                     question.n, seed, yes == 0 ? "none is" : "all are"));
    }
}

std::vector<Scene> scenes_of(const GeometryOptions& options, const Material& material) {
    std::vector<Scene> scenes(3);
    scenes[0] = {"students", "Marks and IQ: is the student placed?", 0.99, {}, {}, {}, {}};
    scenes[1] = {"layer", "h of a layer without a norm: does the name end here?", 0.8, {}, {}, {}, {}};
    scenes[2] = {"layer_with_norm", "h of a layer, its norm before the tanh: does the name end?", 0.8, {}, {}, {}, {}};
    for (const std::uint64_t seed : list(options.seeds)) {
        scenes[0].questions.push_back(students(options.students, seed));
        check_answers(scenes[0].questions.back(), seed);
        Recipe recipe = options.recipe;
        recipe.seed = seed;
        scenes[1].questions.push_back(activations(recipe, NormPlace::none, options.trained, options.rows, material));
        scenes[2].questions.push_back(activations(recipe, NormPlace::before, options.trained, options.rows, material));
    }
    return scenes;
}

// Where the answers are linearly separable the loss has no least, and its valley no bottom.
void check_least(double least, const Scene& scene, std::uint64_t seed) {
    constexpr double kNothing = 1e-6;
    if (least < kNothing) {
        throw InputError(
            fmt::format("geometry: {} rows are so few that {} inputs tell yes from no without a mistake "
                        "(seed {}): then no loss is the least; take more {}",
                        scene.questions.front().n, scene.questions.front().inputs, seed,
                        scene.name == "students" ? "--students" : "--rows"));
    }
}

void measure(std::vector<Scene>& scenes, const GeometryOptions& options, const Setting& setting) {
    const std::size_t seeds = options.seeds.count;
    for (Scene& scene : scenes) {
        scene.targets.resize(seeds);
        scene.raw.resize(seeds);
        scene.standardised.resize(seeds);
    }
    const ValleyLimits limits{.steps = options.steps};
    in_parallel(
        scenes.size() * seeds,
        [&](std::size_t part) {
            Scene& scene = scenes[part / seeds];
            const std::size_t seed = part % seeds;
            const YesOrNo& raw = scene.questions[seed];
            const YesOrNo scaled = standardised(raw);
            const double start = loss_of(scaled, std::vector<double>(scaled.inputs + 1, 0));
            const double least = loss_of(scaled, best_weights(scaled));
            check_least(least, scene, options.seeds.first + seed);
            scene.targets[seed] = start - scene.reach * (start - least);
            scene.raw[seed] = measure_valley(raw, scene.targets[seed], limits);
            scene.standardised[seed] = measure_valley(scaled, scene.targets[seed], limits);
        },
        setting.progress);
}

// ---- telling ----

void tell_scene(Document& document, const Scene& scene, std::size_t limit) {
    Table table{
        fmt::format("{} ({} rows, {} inputs)", scene.title, scene.questions.front().n, scene.questions.front().inputs),
        {"", "raw", "standardised"},
        {}};
    Json field = {{"name", scene.name}, {"reach", scene.reach}, {"targets", scene.targets}};
    for (const Quantity& quantity : kQuantities) {
        const std::vector<double> raw = values_of(quantity, scene.raw);
        const std::vector<double> scaled = values_of(quantity, scene.standardised);
        const std::string never = std::string(quantity.field) == "steps" ? fmt::format("> {}", limit) : "infinite";
        table.rows.push_back({quantity.words, median_of(raw, never), median_of(scaled, never)});
        for (const auto& [side, values] : {std::pair{"raw", &raw}, std::pair{"standardised", &scaled}}) {
            for (const double value : *values) {
                field[side][quantity.field].push_back(significant(value, 3).value);
            }
        }
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(Text{fmt::format(
        "The target is {:.0f} % of the way from the loss at weights of 0 to the least there is.", 100 * scene.reach)});
    document.data["scenes"].push_back(std::move(field));
}

struct Pair {
    std::size_t a = 0, b = 1;
};

// The two inputs whose weights lie in the narrowest valley.
Pair narrowest_pair(const YesOrNo& question) {
    const std::size_t size = question.inputs + 1;
    const std::vector<double> bend = curvature(question, best_weights(question));
    Pair pair;
    double narrowest = 0;
    for (std::size_t a = 0; a < question.inputs; ++a) {
        for (std::size_t b = a + 1; b < question.inputs; ++b) {
            const double condition = condition_number(
                symmetric_eigen({bend[a * size + a], bend[a * size + b], bend[a * size + b], bend[b * size + b]}, 2));
            if (std::isfinite(condition) && condition > narrowest) {
                narrowest = condition;
                pair = {a, b};
            }
        }
    }
    return pair;
}

void draw(Document& document, const YesOrNo& raw, const Pair& pair, const std::string& of, const std::string& x_label,
          const std::string& y_label) {
    Json field = {{"of", of}};
    const auto contours_in = [&](const char* how, const YesOrNo& question) {
        Contours contours = contours_of(question, pair.a, pair.b, fmt::format("the loss from above: {}, {}", of, how),
                                        x_label, y_label);
        field[how] = {{"axes", contours.axes}, {"left", contours.left}, {"steps", contours.steps}};
        document.plots.push_back(std::move(contours.plot));
        return contours;
    };
    const Contours by_raw = contours_in("raw", raw), by_scaled = contours_in("standardised", standardised(raw));
    document.blocks.emplace_back(Text{fmt::format(
        "By the weights of {}: raw, a contour is {:.3g} times as long as it is wide, standardised {:.3g} times. Of the "
        "rise where it begins, gradient descent leaves {:.2g} % in {} steps, and {:.2g} %.",
        of, by_raw.axes, by_scaled.axes, 100 * by_raw.left, by_raw.steps, 100 * by_scaled.left)});
    document.data["contours"].push_back(std::move(field));
}

// Of kQuantities.
constexpr std::size_t kColumns = 0, kCondition = 1, kTheoryAtBest = 4, kLargestRate = 5, kSteps = 7;

double middle(const std::vector<Valley>& valleys, std::size_t quantity) {
    return quantile(values_of(kQuantities[quantity], valleys), 0.5);
}

// The claim holds where both the condition number and the steps are so many times smaller.
constexpr double kMuch = 2;

// Also into the scene's field.
std::string verdict_of(const Scene& scene, std::size_t limit, Json& field) {
    const auto in_words = [limit](double steps) {
        return std::isfinite(steps) ? fmt::format("{:.0f}", steps) : fmt::format("more than {}", limit);
    };
    const double raw_condition = middle(scene.raw, kCondition), condition = middle(scene.standardised, kCondition);
    const double gain = raw_condition == condition ? 1 : raw_condition / condition;  // 1 where both are infinite
    const double raw = middle(scene.raw, kSteps), scaled = middle(scene.standardised, kSteps);
    const bool holds = gain > kMuch && std::isfinite(scaled) && raw > kMuch * scaled;
    field["condition_gain"] = significant(gain, 3).value;
    field["holds"] = holds;
    return fmt::format(
        "– {} Standardised, the condition number is {} times smaller, and the target takes {} steps where "
        "it took {}. The claim {}.",
        scene.title, brief(gain), in_words(scaled), in_words(raw), holds ? "holds" : "does not hold here");
}

}  // namespace

Document geometry(const GeometryOptions& options, const Material& material, const Setting& setting) {
    Document document{"lab geometry", "notes 2, 4", "Long narrow valleys", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "Note 2's first motivation: to normalise a layer's input fixes the geometry of the loss for the weights and "
        "biases behind it. Note 4 draws it, with marks (0 to 10) and IQ (70 to 140) as inputs to a yes or no. Where "
        "one input is ten times as large as another, its weight moves the loss ten times as much: the loss bends a "
        "hundred times as sharply in that direction, and its contours are long and narrow. A rate above 2/λ, λ the "
        "largest eigenvalue of the curvature, throws gradient descent from one side of such a valley to the other; at "
        "a rate below it, what is left along the valley shrinks at a step by no more than twice the smallest "
        "eigenvalue "
        "over the largest."});
    document.blocks.emplace_back(Text{
        "So one unit answers yes or no, from inputs as they are and from the same inputs standardised, column by "
        "column, as batch norm does it with γ = 1 and β = 0. The least loss is the same in both: the weights and the "
        "bias can make up for either. Look at the condition number, at the rates, and at the steps that the same "
        "loss takes, each at its own best rate."});
    document.blocks.emplace_back(Formulas{
        {"matmul_forward", "cross_entropy_with_gradient", "linear_weight_backward", "batchnorm_normalise", "descend"}});
    document.blocks.emplace_back(Text{fmt::format(
        "Medians over {} seeds, and from the least to the most. Gradient descent begins at weights of 0. A rate counts "
        "as one that converges where the loss falls at every step towards the end of {} steps. Of the rates from the "
        "largest down to a quarter of it the best is taken; where no rate arrives within {} steps, the table says so.",
        options.seeds.count, ValleyLimits{}.convergence_steps, options.steps)});
    std::vector<Scene> scenes = scenes_of(options, material);
    measure(scenes, options, setting);
    for (const Scene& scene : scenes) {
        tell_scene(document, scene, options.steps);
    }
    document.blocks.emplace_back(Text{
        "The plots show the first seed: contours at a loss of 0.01, 0.04, 0.16 … above the least, in two weights, one "
        "unit of which is as long on both axes; the other weights are held where the loss is least. Of h they "
        "are the two weights whose valley is narrowest. Gradient descent goes at 1.8/λ."});
    draw(document, scenes[0].questions.front(), {}, "marks and IQ", "weight of the marks", "of the IQ");
    const YesOrNo& layer = scenes[1].questions.front();
    draw(document, layer, narrowest_pair(layer), "two units of h", "weight of one", "of the other");
    const auto share_of_theory = [](const std::vector<Valley>& valleys) {
        return middle(valleys, kLargestRate) / middle(valleys, kTheoryAtBest);
    };
    document.blocks.emplace_back(Text{fmt::format(
        "The largest rate is bounded by 2/λ where the loss is least, where gradient descent has to stay; before, the "
        "loss bends more sharply (p·(1 − p) is largest at weights of 0), and a path that gets no further is bounded "
        "there. Of 2/λ at the least loss the students' largest rate is {:.3g} raw, {:.3g} standardised; that of h "
        "{:.3g} "
        "and {:.3g}.",
        share_of_theory(scenes[0].raw), share_of_theory(scenes[0].standardised), share_of_theory(scenes[1].raw),
        share_of_theory(scenes[1].standardised))});
    std::string verdict = "So:";
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        verdict += "\n" + verdict_of(scenes[i], options.steps, document.data["scenes"][i]);
    }
    document.blocks.emplace_back(Text{std::move(verdict)});
    const NetworkConfig& network = options.recipe.network;
    document.blocks.emplace_back(Text{fmt::format(
        "Standardising mends columns of unequal size and columns that are far from 0, nothing else. In size the "
        "students' differ by a factor of {:.3g}, those of h by {:.3g}: tanh has seen to that. What is left is "
        "that inputs go together: the condition number is then {} for marks and IQ, {} for {} units that are "
        "made of {} numbers. As its network hands h on, raw, it is {} without a norm and {} with norms. "
        "(--recipe makemore-deep looks behind five layers.)",
        middle(scenes[0].raw, kColumns), middle(scenes[1].raw, kColumns),
        brief(middle(scenes[0].standardised, kCondition)), brief(middle(scenes[1].standardised, kCondition)),
        scenes[1].questions.front().inputs, network.context * network.embedding,
        brief(middle(scenes[1].raw, kCondition)), brief(middle(scenes[2].raw, kCondition)))});
    return document;
}

}  // namespace byhand::lab
