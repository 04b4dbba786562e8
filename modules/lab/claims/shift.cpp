// Shift between training and test data.
#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "lab/claims/claims.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kLonger = 5;   // times the steps of the other trainings: running statistics need them
constexpr std::size_t kMoments = 5;  // of the tests, the last one at the end

char32_t middle_initial(const Names& names) {
    std::u32string initials;
    std::ranges::transform(names, std::back_inserter(initials), [](std::u32string_view name) { return name.front(); });
    const auto middle = initials.begin() + static_cast<std::ptrdiff_t>(initials.size() / 2);
    std::ranges::nth_element(initials, middle);
    return *middle;
}

// A training on names of the first kind; `costs` receives the loss on names of the other kind less that on names of the
// first, at each moment.
Training shifted(Recipe recipe, std::vector<double>& costs) {
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = std::move(recipe)};
    const auto names = std::make_shared<ShiftedNames>();
    const auto vocabulary = std::make_shared<std::size_t>();
    training.prepare = [=](Run& run) {
        *names = shifted_names(run.names, run.vocabulary, run.recipe.network.context);
        *vocabulary = run.vocabulary.size();
        run.train = names->train;
        run.val = names->own;
    };
    training.watch = [=, &costs, last = training.recipe.steps](std::size_t steps, Trainable& model) {
        if (steps != 0 && steps % (last / kMoments) == 0) {
            costs.push_back(mean_loss(model, names->other, *vocabulary) - mean_loss(model, names->own, *vocabulary));
        }
        if (steps == last) {
            *names = {};  // as large as the data: not every training's at once
        }
    };
    return training;
}

}  // namespace

ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context) {
    const auto is_first = [middle = middle_initial(names.train)](std::u32string_view name) {
        return name.front() <= middle;
    };
    Names train, own, other;
    std::ranges::copy_if(names.train, std::back_inserter(train), is_first);
    for (const Names* part : {&names.val, &names.test}) {
        std::ranges::partition_copy(*part, std::back_inserter(own), std::back_inserter(other), is_first);
    }
    return {examples_of(train, vocabulary, context), examples_of(own, vocabulary, context),
            examples_of(other, vocabulary, context)};
}

Claims shifted_data(Document& document, const TwoForms& network, const Setup& setup) {
    Study study = study_of(network, setup, "shift_initial", "Cost of a shift of the test data by initial");
    std::vector<std::vector<double>> costs(study.arms.size() * study.seeds);
    Setup longer = setup;
    longer.steps *= kLonger;
    train(
        study,
        [&](std::size_t form, std::size_t, std::size_t seed) {
            return shifted(recipe_for(network, form, longer), costs[form * study.seeds + seed]);
        },
        longer);
    study.varied = "step";
    study.log_x = false;
    study.values.clear();
    for (std::size_t moment = 1; moment <= kMoments; ++moment) {
        const std::size_t steps = longer.steps / kMoments * moment;
        study.values.push_back(static_cast<double>(steps));
    }
    study = filled(study, [&](std::size_t form, std::size_t moment, std::size_t seed) {
        const std::vector<double>& one = costs[form * study.seeds + seed];
        return moment < one.size() ? one[moment] : std::numeric_limits<double>::quiet_NaN();
    });
    add(document, {study});
    return {claim_on(study,
                     {"shift", network.name, "A shift of the test data costs less with it",
                      "Loss on names of the other kind, by initial, less that on names of the kind it was trained on",
                      "cost, initial"},
                     [](const std::vector<double>& moments) { return moments.back(); })};
}

}  // namespace byhand::lab
