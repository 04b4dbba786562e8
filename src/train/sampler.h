// New names from a model, one character at a time.
#pragma once

#include <string>

#include "base/model.h"
#include "names/random.h"
#include "names/vocabulary.h"

namespace byhand {

struct SampleOptions {
    std::u32string prefix;   // start of every name; each character is in the vocabulary
    double temperature = 1;  // > 0: logits are divided by it
};

// Longer names are cut, because a model may never end one.
inline constexpr std::size_t kLongestSample = 1000;

// One name, without its end: each next character is drawn from softmax(logits / temperature), computed in float as in
// PyTorch, by one multinomial draw. `context` is T.
std::u32string sample_name(Trainable& model, std::size_t context, const Vocabulary& vocabulary, TorchGenerator& g,
                           const SampleOptions& options);

}  // namespace byhand
