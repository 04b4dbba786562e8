// Runs trained by every model: fused, stepwise, collapsed, and torch, if LibTorch is available.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/by_name.h"
#include "torch_ref/load.h"
#include "train/losses.h"
#include "train/run.h"
#include "train/run_with.h"

namespace byhand::test {

inline bool with_torch() {
    try {
        torch_ref::load();
        return true;
    } catch (const InputError&) {
        return false;
    }
}

inline std::vector<std::string> models() {
    std::vector<std::string> names = cli::model_names();
    if (!with_torch()) {
        std::erase(names, "torch");
    }
    return names;
}

struct Trained {
    Run run;
    std::unique_ptr<Trainable> model;
    std::map<std::size_t, double> losses;  // of every step
    double train = 0, val = 0, test = 0;   // in the end
};

// Trains the model of this name on the whole schedule of the run, or on its first steps.
inline Trained trained(const std::string& name, const Arguments& options, std::size_t steps = 0) {
    Trained all{.run = run_with(options), .model = {}, .losses = {}};
    Run& run = all.run;
    all.model = cli::make_model(name, run.recipe.network, run.recipe.batch);
    all.model->load(run.initial);
    TrainHooks hooks;
    hooks.after_step = [&](std::size_t step, float loss) { all.losses[step] = static_cast<double>(loss); };
    const TrainOutcome outcome = train(*all.model, run, 0, steps == 0 ? run.recipe.steps : steps, hooks);
    REQUIRE_FALSE(outcome.not_finite.has_value());
    if (is_calibrated(run.recipe.network)) {
        all.model->calibrate(run.train.all().X);
    }
    const std::size_t V = run.vocabulary.size();
    all.train = mean_loss(*all.model, run.train, V);
    all.val = mean_loss(*all.model, run.val, V);
    all.test = mean_loss(*all.model, run.test, V);
    return all;
}

}  // namespace byhand::test
