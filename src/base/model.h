// The trainer's interface to a network, independent of the implementation.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/batch.h"
#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

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
