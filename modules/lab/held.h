// A network by hand held against LibTorch's, as `byhand compare` does it.
#pragma once

#include <string>
#include <vector>

#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/summary.h"
#include "lab/first_step.h"

namespace byhand::lab {

struct Held {
    Summary summary;
    ComparedStep step;
};

// One training step from `first`'s state on its batch; `models` are "stepwise", "collapsed", "fused".
Held hold_against_torch(const torch_ref::Factory& torch, const FirstStep& first,
                        const std::vector<std::string>& models);

}  // namespace byhand::lab
