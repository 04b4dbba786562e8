#include "lab/training.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "fast/models.h"
#include "train/losses.h"
#include "train/trainer.h"

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
    const TrainOutcome outcome = train(*model, run, 0, run.recipe.steps,
                                       {.after_step =
                                            [&](std::size_t step, float loss) {
                                                sum += static_cast<double>(loss);
                                                if (++summed == kWindow) {
                                                    trained.curve.push_back(sum / static_cast<double>(kWindow));
                                                    sum = 0;
                                                    summed = 0;
                                                }
                                                if (training.watch) {
                                                    training.watch(step + 1, *model);
                                                }
                                            },
                                        .stop = [] { return false; },
                                        .checkpoint_every = 0,
                                        .checkpoint = {}});
    trained.finite = !outcome.not_finite;
    trained.steps = outcome.steps;
    trained.state = model->save();
    trained.train = trained.val = std::numeric_limits<double>::quiet_NaN();
    if (trained.finite) {
        if (is_calibrated(network)) {
            model->calibrate(run.train.all().X);
        }
        trained.train = mean_loss(*model, run.train.first(run.val.size()), network.vocabulary);
        trained.val = mean_loss(*model, run.val, network.vocabulary);
        trained.finite = std::isfinite(trained.train) && std::isfinite(trained.val);
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

std::optional<std::size_t> steps_to(const Trained& trained, double loss) {
    for (std::size_t i = 0; i < trained.curve.size(); ++i) {
        if (trained.curve[i] <= loss) {
            return (i + 1) * kWindow;
        }
    }
    return std::nullopt;
}

std::unique_ptr<Trainable> evaluated(const NetworkConfig& network, const Tensors<float>& state, const Examples& train) {
    constexpr std::size_t kRows = 2;  // of a training batch: this model only evaluates
    std::unique_ptr<Trainable> model = make_hand_model(HandForm::fused, network, kRows);
    model->load(state);
    if (is_calibrated(network)) {
        model->calibrate(train.all().X);
    }
    return model;
}

void in_parallel(std::size_t parts, const std::function<void(std::size_t)>& part,
                 const std::function<void(std::size_t, std::size_t)>& done) {
    std::mutex mutex;  // of the three below, and of done
    std::size_t next = 0, ended = 0;
    std::exception_ptr thrown;
    const auto work = [&] {
        for (;;) {
            std::size_t taken = 0;
            {
                const std::scoped_lock lock(mutex);
                if (next == parts || thrown) {
                    return;
                }
                taken = next++;
            }
            try {
                part(taken);
                const std::scoped_lock lock(mutex);
                done(++ended, parts);
            } catch (...) {
                const std::scoped_lock lock(mutex);
                thrown = thrown ? thrown : std::current_exception();
            }
        }
    };
    done(0, parts);
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    {
        std::vector<std::jthread> helpers;
        for (std::size_t i = 1; i < std::min(cores, parts); ++i) {
            helpers.emplace_back(work);
        }
        work();
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace byhand::lab
