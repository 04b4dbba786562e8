// The training of one implementation while it is timed.
#pragma once

#include <cstddef>

#include "base/model.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::bench {

struct Training {
    const Run& run;
    Model& model;
    TorchGenerator generator;
    DrawnBatch batch;
    std::size_t step = 0;
    float loss = 0;

    // From the run's initial state and its first batch on.
    Training(const Run& of, Model& by)
        : run(of), model(by), generator(of.generator), batch(of.recipe.batch, of.recipe.network.context) {
        model.load(run.initial);
    }

    void go_on(std::size_t steps) {
        for (const std::size_t end = step + steps; step < end; ++step) {
            draw_batch(batch, run.train, generator);
            loss = model.train_step(batch.view(), static_cast<float>(rate_at(run.recipe, step)));
        }
    }
};

}  // namespace byhand::bench
