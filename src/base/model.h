// A network that runs: the batches it is given, and what can be done with it to compare it or to train it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

// A batch of examples, as indices into the vocabulary. Views; the code that drew the batch owns the arrays. Every index
// is below V.
struct Batch {
    std::size_t rows = 0;             // B
    const std::int64_t* X = nullptr;  // (B, T): the context
    const std::int64_t* Y = nullptr;  // (B): the target character
};

// Consecutive rows of a batch.
struct BatchPart {
    std::size_t first = 0, rows = 0, batch = 0;  // batch: the rows of the whole
};

// The forms of the handwritten network, each with its own formulas: they select the graph that runs and the limits that
// apply. One named value at a time; two formulas collapsed; the formulas of the fused step.
enum class HandForm { stepwise, collapsed, fused };

// What is available after a step: what the next one needs, or every value, to compare them. Values cost time to write
// and cache space that training can save; results are the same. Precondition of Model::run and Model::views: all.
enum class Keep { needed, all };

class Group;

// The rows of each batch in `parts` parts, shared out to the ranks of a group (base/parts.h), which must outlive the
// model; undivided without a group. Each step requires the whole batch on all ranks. Precondition: 0 < parts ≤ rows.
struct Division {
    std::size_t parts = 1;
    Group* group = nullptr;
};

// A network that runs training steps and exposes every value that it computes.
class Model {
public:
    virtual ~Model() = default;

    // Sets the state for the next step: a table equal to state(config) (base/network.h).
    virtual void load(const Tensors<float>& state) = 0;

    // Forward, backward and update; each new value is stored as new_X, beside the old one. `rate` is the learning rate.
    virtual void run(const Batch& batch, float rate) = 0;

    // All values of the last run, in the order of computation: the state before the update, forward values, gradients,
    // new_X. Valid until the next run or load.
    virtual std::vector<View> views() const = 0;

protected:
    Model() = default;
    Model(const Model&) = default;
    Model& operator=(const Model&) = default;
};

// One that can also be trained.
class Trainable : public Model {
public:
    // The current state.
    virtual Tensors<float> save() const = 0;

    // One training step: a run in training mode, whose new values become the state. Returns the minibatch's mean
    // cross-entropy, in nats, before the update. Precondition: batch.rows is the number of rows of the model.
    virtual float train_step(const Batch& batch, float rate) = 0;

    // In evaluation mode, with the running statistics: logits (rows, V), for any number of rows; X is (rows, T).
    virtual void logits(std::span<float> out, std::span<const std::int64_t> X) = 0;

    // Replaces the running statistics by mean and variance over all rows of X (the whole training part), layer after
    // layer, in the form of the running statistics (divisor, variance or standard deviation). X is (rows, T).
    virtual void calibrate(std::span<const std::int64_t> X) = 0;
};

}  // namespace byhand
