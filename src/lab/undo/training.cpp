#include "lab/undo/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "base/member.h"
#include "base/value.h"
#include "lab/figures.h"
#include "lab/layer_names.h"
#include "lab/paired.h"
#include "lab/shortened.h"
#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kMoments = 20;  // looked at in a training, besides its beginning

// The note's slip: the update of γ reads the gradient of β.
std::unique_ptr<Model> with_slip(const NetworkConfig& network, std::size_t rows) {
    Graph slipped = fused_graph(network, rows);
    for (Step& step : slipped.update) {
        if (Value made = value_of(step.makes); made.kind == Kind::updated && made.base == "bngain") {
            made.kind = Kind::gradient;
            made.base = "bnbias";
            step.reads[1] = made.name();
        }
    }
    return make_step_model(std::move(slipped));
}

std::vector<double> figures(const std::vector<Trained>& trained, Member<Trained, double> figure) {
    std::vector<double> all;
    all.reserve(trained.size());
    for (const Trained& one : trained) {
        all.push_back(one.*figure);
    }
    return all;
}

// The largest distance of a unit's γ − β from what it began as.
double parted(const UndoTrainings& trainings, const NetworkConfig& network) {
    double most = 0;
    for (std::size_t s = 0; s < trainings.slip.size(); ++s) {
        const Tensors<float>& end = trainings.slip[s].state;
        const Moment& begin = trainings.moments[s].front();
        std::size_t unit = 0;
        for (const Layer& layer : layers_with_norm(network)) {
            const std::span<const float> gain = end[layer.value("bngain")], bias = end[layer.value("bnbias")];
            for (std::size_t j = 0; j < layer.outputs; ++j, ++unit) {
                const double apart = static_cast<double>(gain[j]) - static_cast<double>(bias[j]);
                most = std::max(most, std::abs(apart - (begin.gain[unit] - begin.bias[unit])));
            }
        }
    }
    return most;
}

}  // namespace

UndoTrainings train_for_undo(const UndoOptions& options, const FirstStep& first, const Material& material,
                             const Setting& setting) {
    const std::vector<std::uint64_t> seeds = list(options.seeds);
    const std::size_t every = std::max<std::size_t>(1, options.steps / kMoments);
    const std::size_t rows = std::min(kRowsOfMoments, first.run.train.size());
    UndoTrainings both{{}, {}, std::vector<Moments>(seeds.size())};
    std::vector<Training> trainings;
    trainings.reserve(2 * seeds.size());
    for (const bool slip : {false, true}) {
        for (std::size_t s = 0; s < seeds.size(); ++s) {
            Training training{in_steps(options.recipe, options.steps), {}, {}, {}};
            training.recipe.seed = seeds[s];
            if (slip) {
                training.make = with_slip;
            } else {
                training.watch = [&, s](std::size_t step, Model& model) {
                    if (step % every == 0 || step == options.steps) {
                        both.moments[s].push_back(
                            moment_of(step, model.save(), first.network(), first.run.train, rows));
                    }
                };
            }
            trainings.push_back(std::move(training));
        }
    }
    std::vector<Trained> trained = train_all(trainings, material, setting);
    const auto half = trained.begin() + static_cast<std::ptrdiff_t>(seeds.size());
    both.right.assign(trained.begin(), half);
    both.slip.assign(half, trained.end());
    return both;
}

void tell_slip(Document& document, const UndoTrainings& trainings, const NetworkConfig& network) {
    const std::vector<double> val = figures(trainings.right, &Trained::val),
                              slipped = figures(trainings.slip, &Trained::val);
    Table table{"the same trainings with the note's slip, γ ← γ − α·dL/dβ",
                {"γ updated with", "training loss", "validation loss"},
                {{"dL/dγ", with_spread(figures(trainings.right, &Trained::train), 4), with_spread(val, 4)},
                 {"dL/dβ", with_spread(figures(trainings.slip, &Trained::train), 4), with_spread(slipped, 4)}}};
    document.blocks.emplace_back(std::move(table));
    document.data["slip"] = {{"val", Json::array()}, {"val_with_slip", Json::array()}};
    for (std::size_t s = 0; s < val.size(); ++s) {
        document.data["slip"]["val"].push_back(number(val[s]));
        document.data["slip"]["val_with_slip"].push_back(number(slipped[s]));
    }
    const std::vector<double> harm = differences(slipped, val);
    std::string words;
    if (std::ranges::all_of(trainings.slip, &Trained::finite)) {
        words = fmt::format(
            "With the slip γ and β take the same steps, so γ − β of a unit stays what it was at the "
            "beginning (it moved by {:.1g} at most): the unit has one parameter in place of two. ",
            parted(trainings, network));
    }
    const char* verdict = !is_clear(harm)                     ? "not clear of what varies from seed to seed"
                          : mean_and_deviation(harm).mean > 0 ? "the slip costs something"
                                                              : "the slip does no harm here";
    document.blocks.emplace_back(Text{words + fmt::format("Seed by seed the validation loss with the slip is {}: {}.",
                                                          higher_or_lower(harm), verdict)});
}

}  // namespace byhand::lab
