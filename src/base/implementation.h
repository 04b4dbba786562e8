// One side of a comparison: a network that runs one training step and shows every value it kept.
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

    // The state to begin the next step with: a table equal to state(config) (base/network.h).
    virtual void load(const Tensors<float>& state) = 0;

    // Forward, backward and update, each new value beside the old one as new_X. `rate` is the learning rate.
    virtual void run(const Batch& batch, float rate) = 0;

    // Everything the last run kept, in the order it was made: the state as it was before the update, forward values,
    // gradients, new_X. Valid until the next run or load.
    virtual std::vector<View> views() const = 0;

protected:
    Implementation() = default;
    Implementation(const Implementation&) = default;
    Implementation& operator=(const Implementation&) = default;
};

}  // namespace byhand
