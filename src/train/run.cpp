#include "train/run.h"

#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "names/dataset.h"

namespace byhand {
namespace {

// Of the names, in the text and in two lists, that of the file and that of their part, and, at most, all their examples
// as rows: a norm is calibrated on those of the training part.
double bytes_needed(const NamesFile& data, std::size_t context) {
    std::size_t bytes = 0;
    for (const std::u32string_view name : data.names) {
        bytes += name.size() * sizeof(char32_t) + 2 * sizeof(std::u32string_view);
        bytes += (name.size() + 1) * (context + 1) * sizeof(std::int64_t);
    }
    return static_cast<double>(bytes);
}

}  // namespace

Run prepare(Recipe recipe, NamesFile data, const std::string& where) {
    Run run;
    run.vocabulary = vocabulary_of(data.names, data.mark);
    recipe.network.vocabulary = run.vocabulary.size();
    check_network(recipe.network, recipe.batch);
    check_memory_needed(bytes_needed(data, recipe.network.context), printable(where) + ": the examples need",
                        "lower --context, or give fewer names");
    run.text = std::move(data.text);
    run.names = split_names(data.names, recipe.split_seed, recipe.first_cut, recipe.second_cut, where);
    const std::size_t context = recipe.network.context;
    run.train = examples_of(run.names.train, run.vocabulary, context);
    run.val = examples_of(run.names.val, run.vocabulary, context);
    run.test = examples_of(run.names.test, run.vocabulary, context);
    if (run.train.size() >= kMostExamples) {
        throw InputError(printable(where) + ": makes " + std::to_string(run.train.size()) +
                         " training examples, but must make fewer than 2^28; give fewer names");
    }
    run.generator = torch_seeded(recipe.seed);
    run.initial = initial_state(recipe, run.generator);
    if (recipe.batch_seed) {
        run.generator = torch_seeded(*recipe.batch_seed);
    }
    run.recipe = std::move(recipe);
    return run;
}

namespace {

constexpr std::size_t kStepsBetweenLooks = 1000;

// The state of training when everything was last finite.
struct Waypoint {
    std::size_t step = 0;
    Tensors<float> state;
    TorchGenerator generator;
};

// Repeats the steps from `from` on and checks everything after each. `until`: the step after which something was not
// finite.
NotFinite find_not_finite(Trainable& model, Run& run, const Waypoint& from, std::size_t until) {
    model.load(from.state);
    run.generator = from.generator;
    NotFinite found{.step = from.step,
                    .name = "",
                    .state = from.state,
                    .batch = DrawnBatch(run.recipe.batch, run.recipe.network.context)};
    for (; true; ++found.step) {
        draw_batch(found.batch, run.train, run.generator);
        const float loss = model.train_step(found.batch.view(), static_cast<float>(rate_at(run.recipe, found.step)));
        Tensors<float> state = model.save();
        const TensorSpec* const spec = first_not_finite(state);
        if (!std::isfinite(loss) || spec != nullptr || found.step + 1 >= until) {
            found.name = std::isfinite(loss) && spec != nullptr ? spec->name : "loss";
            return found;
        }
        found.state = std::move(state);
    }
}

}  // namespace

TrainOutcome train(Trainable& model, Run& run, std::size_t first, std::size_t end, const TrainHooks& hooks) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    TrainOutcome outcome{.steps = first, .stopped = false, .not_finite = std::nullopt};
    Waypoint last{first, model.save(), run.generator};
    // Whether everything is finite; if so, this becomes the last such state.
    const auto look = [&] {
        Tensors<float> state = model.save();
        if (first_not_finite(state) != nullptr) {
            return false;
        }
        last = {outcome.steps, std::move(state), run.generator};
        return true;
    };
    bool all_finite = true;
    for (std::size_t step = first; all_finite && step < end; ++step) {
        if (hooks.stop()) {
            outcome.stopped = true;
            break;
        }
        draw_batch(batch, run.train, run.generator);
        const float loss = model.train_step(batch.view(), static_cast<float>(rate_at(run.recipe, step)));
        ++outcome.steps;
        hooks.after_step(step, loss);
        const bool checkpoint_due =
            hooks.checkpoint_every > 0 && outcome.steps % hooks.checkpoint_every == 0 && outcome.steps < end;
        const bool look_due = checkpoint_due || outcome.steps - last.step >= kStepsBetweenLooks;
        all_finite = std::isfinite(loss) && (!look_due || look());
        if (all_finite && checkpoint_due) {
            hooks.checkpoint(outcome.steps);
        }
    }
    if (!all_finite || (outcome.steps > last.step && !look())) {
        outcome.not_finite = find_not_finite(model, run, last, outcome.steps);
        outcome.steps = outcome.not_finite->step + 1;
    }
    return outcome;
}

}  // namespace byhand
