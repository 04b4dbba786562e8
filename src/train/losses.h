// How good a model is on names, in evaluation mode.
#pragma once

#include "base/model.h"
#include "names/dataset.h"

namespace byhand {

// Mean cross-entropy over all examples, in nats a character: logits in float, softmax and mean in double. NaN where
// there are no examples. `vocabulary` is V.
double mean_loss(Model& model, const Examples& examples, std::size_t vocabulary);

}  // namespace byhand
