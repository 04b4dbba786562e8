// New names from a model, one character at a time.
#pragma once

#include <string>

#include "base/model.h"
#include "names/random.h"
#include "names/vocabulary.h"

namespace byhand {

struct SampleOptions {
    std::u32string prefix;   // every name begins with it; each character is in the vocabulary
    double temperature = 1;  // > 0: logits are divided by it
};

// Names longer than this are cut: a model may never come to an end.
inline constexpr std::size_t kLongestSample = 1000;

// One name, its end not included: each next character drawn from softmax(logits / temperature), computed in float as
// PyTorch does it, by one multinomial draw. `context` is T.
std::u32string sample_name(Model& model, std::size_t context, const Vocabulary& vocabulary, TorchGenerator& g,
                           const SampleOptions& options);

}  // namespace byhand
