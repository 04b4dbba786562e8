// Trainings that an experiment sets side by side.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/model.h"
#include "lab/setting.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::lab {

// One training. What differs from a plain one is said by functions; those left empty change nothing.
struct Training {
    Recipe recipe;  // with its seed, its rates and so many steps
    // The implementation; the hand-written fused network if empty.
    std::function<std::unique_ptr<Trainable>(const NetworkConfig& network, std::size_t rows)> make = nullptr;
    std::function<void(Run& run)> prepare = nullptr;  // changes what the run begins with
    // Called before the first step (0) and after every step (1 …).
    std::function<void(std::size_t steps, Trainable& model)> watch = nullptr;
};

struct Trained {
    // The minibatch losses, the mean of each `kWindow` steps.
    std::vector<double> curve;
    bool finite = true;     // false: a loss was not, and the training ended there
    std::size_t steps = 0;  // that were carried out
    // Mean cross-entropy at the end in evaluation mode, in nats: over the validation part, and over as many examples
    // of the training part. NaN where the training was not finite.
    double train = 0, val = 0;
    Tensors<float> state;
};
inline constexpr std::size_t kWindow = 100;

// Throws InputError where prepare (train/run.h) does.
Trained train_one(const Training& training, const Material& material);

// In the order given, on all cores. Throws as above.
std::vector<Trained> train_all(const std::vector<Training>& trainings, const Material& material,
                               const Setting& setting);

// The first step after which the mean loss of a window is no larger than this; nothing where none is.
std::optional<std::size_t> steps_to(const Trained& trained, double loss);

// ---- Trained values, ready for evaluation ----

// The fused network by hand with this state; where its norms go by the figures of the training set, by those of
// `train`.
std::unique_ptr<Trainable> evaluated(const NetworkConfig& network, const Tensors<float>& state, const Examples& train);

// ---- Independent parts of work, on all cores ----

// Runs part(0) … part(parts − 1), on as many threads as there are cores; which thread runs which part is left to
// chance, so no part may depend on another. `done` is called before the first begins, with 0, and as each ends, one
// call at a time. Where a part throws, no new one is begun, and what the first threw is thrown here.
void in_parallel(std::size_t parts, const std::function<void(std::size_t part)>& part,
                 const std::function<void(std::size_t done, std::size_t parts)>& done);

}  // namespace byhand::lab
