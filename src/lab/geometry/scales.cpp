#include "lab/geometry/scales.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "lab/training.h"
#include "manual/stepwise.h"
#include "names/random.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

// One of 0 to `most`, in so many equal parts.
double uniform(TorchGenerator& g, double from, double to) {
    constexpr std::uint64_t kParts = 10'000;
    std::int64_t drawn = 0;
    randint(g, kParts + 1, {&drawn, 1});
    return from + (to - from) * static_cast<double>(drawn) / static_cast<double>(kParts);
}

}  // namespace

YesOrNo students(std::size_t count, std::uint64_t seed) {
    constexpr double kLeastIq = 70, kMostIq = 140, kMostMarks = 10;
    TorchGenerator g = torch_seeded(seed);
    YesOrNo question{count, 2, {}, {}};
    question.x.reserve(count * 2);
    for (std::size_t i = 0; i < count; ++i) {
        const double marks = uniform(g, 0, kMostMarks), iq = uniform(g, kLeastIq, kMostIq);
        const double z = 0.8 * (marks - kMostMarks / 2) + 0.08 * (iq - (kLeastIq + kMostIq) / 2);
        const std::array weights = {1.0F, static_cast<float>(std::exp(z))};  // no and yes, in proportion
        question.x.insert(question.x.end(), {marks, iq});
        question.Y.push_back(static_cast<std::int64_t>(multinomial(g, weights)));
    }
    return question;
}

YesOrNo activations(Recipe recipe, NormPlace norm, std::size_t steps, std::size_t rows, const Material& material) {
    recipe.network.norm.place = norm;
    recipe.steps = steps;
    const Run run = prepare(recipe, material.names, material.where);
    if (run.train.size() < rows) {
        throw InputError("geometry: " + material.where + " makes only " + std::to_string(run.train.size()) +
                         " examples to train on, and --rows asks for " + std::to_string(rows));
    }
    Training training;
    training.recipe = recipe;
    const Trained trained = train_one(training, material);
    Runner<double> runner(stepwise_graph(run.recipe.network, rows));
    copy_into(runner.tensors(), trained.state);
    runner.set_batch(run.train.rows(0, rows));
    const std::vector<Layer> all = layers(run.recipe.network);
    const std::string h = all[all.size() - 2].value("h");
    runner.forward_to(h);
    YesOrNo question{rows, all.back().inputs, {}, {}};
    const std::span<const double> values = runner.tensors()[h];
    question.x.assign(values.begin(), values.end());
    for (std::size_t i = 0; i < rows; ++i) {
        question.Y.push_back(run.train.Y[i] == 0 ? 1 : 0);
    }
    return question;
}

}  // namespace byhand::lab
