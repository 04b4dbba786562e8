// An implementation under comparison: a network that runs one training step and exposes every value it computed.
#pragma once

#include <memory>
#include <vector>

#include "base/batch.h"
#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

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

}  // namespace byhand
