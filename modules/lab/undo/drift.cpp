// Where γ and β go in training, beside σ and μ of their units.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/member.h"
#include "lab/figures.h"
#include "lab/undo/undo.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

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

}  // namespace byhand::lab
