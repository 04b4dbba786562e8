// The loss of a model on names, in evaluation mode.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/model.h"
#include "names/dataset.h"
#include "names/vocabulary.h"

namespace byhand {

// Called now and then with the number of examples that are done.
using Measured = std::function<void(std::size_t examples)>;

// Mean cross-entropy over all examples, in nats per character: logits in float, softmax and mean in double. NaN without
// examples. `vocabulary` is V.
double mean_loss(Trainable& model, const Examples& examples, std::size_t vocabulary, const Measured& measured = {});

// The same, to the bit, for the examples of `names`, which are never in memory all at once: an external model may have
// a context of kMostContext. Every character is in the vocabulary.
double mean_loss(Trainable& model, const Names& names, const Vocabulary& vocabulary, std::size_t context,
                 const Measured& measured = {});

}  // namespace byhand
