// How good a model is on names, in evaluation mode.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/model.h"
#include "names/dataset.h"
#include "names/vocabulary.h"

namespace byhand {

// Mean cross-entropy over all examples, in nats a character: logits in float, softmax and mean in double. NaN where
// there are no examples. `vocabulary` is V.
double mean_loss(Model& model, const Examples& examples, std::size_t vocabulary);

// The same, to the bit, of the examples that `names` make, which are never there all at once: a model from a stranger
// may have a context of kMostContext. Every character is in the vocabulary.
double mean_loss(Model& model, const std::vector<std::u32string>& names, const Vocabulary& vocabulary,
                 std::size_t context);

}  // namespace byhand
