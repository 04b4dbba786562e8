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
    std::size_t first = 0, rows = 0;
    std::size_t batch = 0;  // the rows of the whole batch
};

// The forms of the handwritten network, each with its own formulas: they select the graph that runs and the limits that
// apply. One named value at a time; two formulas collapsed; the formulas of the fused step.
enum class HandForm { stepwise, collapsed, fused };

// A network under comparison: it runs one training step and exposes every value it computed.
class Implementation {
public:
    virtual ~Implementation() = default;

    // Sets the state for the next step: a table equal to state(config) (base/network.h).
    virtual void load(const Tensors<float>& state) = 0;

    // Forward, backward and update; each new value is stored as new_X, beside the old one. `rate` is the learning rate.
    virtual void run(const Batch& batch, float rate) = 0;

    // All values of the last run, in the order of computation: the state before the update, forward values, gradients,
    // new_X. Valid until the next run or load.
    virtual std::vector<View> views() const = 0;

protected:
    Implementation() = default;
    Implementation(const Implementation&) = default;
    Implementation& operator=(const Implementation&) = default;
};

// The trainer's interface to a network.
class Model {
public:
    virtual ~Model() = default;

    // Sets the state: a table equal to state(config) (base/network.h).
    virtual void load(const Tensors<float>& state) = 0;

    // The current state.
    virtual Tensors<float> save() const = 0;

    // One training step: forward in training mode, loss, backward, update of the state with learning rate `rate`.
    // Returns the minibatch's mean cross-entropy, in nats, before the update. Precondition: batch.rows is the number of
    // rows of the model.
    virtual float train_step(const Batch& batch, float rate) = 0;

    // Forward in evaluation mode, with the running statistics: logits (rows, V), for any number of rows; X is (rows,
    // T).
    virtual void logits(std::span<float> out, std::span<const std::int64_t> X) = 0;

    // Replaces the running statistics by mean and variance over all rows of X (the whole training part), layer after
    // layer, in the form of the running statistics (divisor, variance or standard deviation). X is (rows, T).
    virtual void calibrate(std::span<const std::int64_t> X) = 0;

protected:
    Model() = default;
    Model(const Model&) = default;
    Model& operator=(const Model&) = default;
};

}  // namespace byhand
