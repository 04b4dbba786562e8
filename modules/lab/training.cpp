#include "lab/training.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "fast/models.h"
#include "harness/drawn.h"
#include "lab/figures.h"
#include "train/losses.h"
#include "train/run.h"

namespace byhand::lab {

Trained train_one(const Training& training, const Material& material) {
    Run run = prepare(training.recipe, material.names, material.where);
    if (training.prepare) {
        training.prepare(run);
    }
    const NetworkConfig& network = run.recipe.network;
    const auto model = training.make ? training.make(network, run.recipe.batch)
                                     : make_hand_model(HandForm::fused, network, run.recipe.batch);
    model->load(run.initial);
    if (training.watch) {
        training.watch(0, *model);
    }
    Trained trained;
    double sum = 0;
    std::size_t summed = 0;
    std::vector<double> late;
    const auto after_step = [&](std::size_t step, float loss) {
        sum += static_cast<double>(loss);
        if (++summed == kWindow) {
            trained.curve.push_back(sum / static_cast<double>(kWindow));
            sum = 0;
            summed = 0;
        }
        if (step >= run.recipe.steps / 2) {
            late.push_back(static_cast<double>(loss));
        }
        if (training.watch) {
            training.watch(step + 1, *model);
        }
    };
    trained.finite = !train(*model, run, 0, run.recipe.steps, {.after_step = after_step}).not_finite;
    trained.state = model->save();
    if (trained.finite) {
        if (is_calibrated(network)) {
            model->calibrate(run.train.all().X);
        }
        trained.train = mean_loss(*model, run.train.first(run.val.size()), network.vocabulary);
        trained.val = mean_loss(*model, run.val, network.vocabulary);
        trained.finite = std::isfinite(trained.train) && std::isfinite(trained.val);
    }
    if (trained.finite) {
        trained.late_deviation = mean_and_deviation(late).deviation;
    }
    return trained;
}

std::vector<Trained> train_all(const std::vector<Training>& trainings, const Material& material,
                               const Setting& setting) {
    std::vector<Trained> all(trainings.size());
    const auto one = [&](std::size_t i) { all[i] = train_one(trainings[i], material); };
    in_parallel(trainings.size(), one, setting.progress);
    return all;
}

FirstStep first_step(const Recipe& recipe, const Material& material) {
    Run run = prepare(recipe, material.names, material.where);
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    draw_batch(batch, run.train, run.generator);
    Tensors<float> state = run.initial;
    const Tensors<float> drawn = drawn_state(run.recipe.network, run.recipe.seed);
    for (const TensorSpec& spec : parameters(run.recipe.network)) {
        if (spec.name.starts_with("bn")) {
            std::ranges::copy(drawn[spec.name], state[spec.name].begin());
        }
    }
    return {std::move(run), std::move(batch), std::move(state)};
}

void in_parallel(std::size_t parts, const std::function<void(std::size_t)>& part,
                 const std::function<void(std::size_t, std::size_t)>& done) {
    std::mutex mutex;  // of `ended` and of done
    std::size_t ended = 0;
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        try {
            for (std::size_t taken = next++; taken < parts; taken = next++) {
                part(taken);
                const std::scoped_lock lock(mutex);
                done(++ended, parts);
            }
        } catch (...) {
            next = parts;
            throw;
        }
    };
    done(0, parts);
    std::vector<std::future<void>> workers;
    for (std::size_t i = 0; i < std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), parts); ++i) {
        workers.push_back(std::async(std::launch::async, work));
    }
    for (std::future<void>& worker : workers) {
        worker.get();
    }
}

}  // namespace byhand::lab
