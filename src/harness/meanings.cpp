#include "harness/meanings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/value.h"

namespace byhand {
namespace {

struct Meaning {
    std::string_view name, text;
};

// Of a layer's values without its suffix; W and b without its number.
constexpr std::array kMeanings = std::to_array<Meaning>({
    {"X", "the contexts: the characters before each one that is to be guessed, as numbers"},
    {"Y", "the right answers: the characters that come next, as numbers"},
    {"rate", "the learning rate of this step"},
    {"C", "the embedding, a row of numbers for each character"},
    {"W", "the layer's weights, from each input to each unit"},
    {"b", "the layer's biases, one for each unit"},
    {"bngain", "the norm's gain γ, by which it multiplies each unit"},
    {"bnbias", "the norm's bias β, which it adds to each unit"},
    {"bnmean_running", "the mean of each unit that evaluation goes by, an average over the batches so far"},
    {"bnvar_running", "the variance (or deviation) of each unit that evaluation goes by, an average over the batches"},
    {"emb", "the characters of each context, looked up in the embedding"},
    {"embcat", "the same in one row for each context: what the first layer reads"},
    {"hprebn", "what the norm reads"},
    {"bnmeani", "the mean of each unit over the batch"},
    {"bndiff", "each unit's distance from its mean"},
    {"bndiff2", "the square of that distance"},
    {"bnvar", "the variance of each unit over the batch"},
    {"bnvar_inv", "one over the deviation of each unit"},
    {"bnraw", "the normalised value: mean 0 and deviation 1 over the batch"},
    {"hpreact", "what the layer hands to its non-linearity"},
    {"h", "what the layer hands on"},
    {"logits", "a score for each character that may come next"},
    {"logit_maxes", "the largest score in each row, taken off so that exp can't overflow"},
    {"norm_logits", "the scores less the largest of their row"},
    {"counts", "e to the power of the scores: all positive"},
    {"counts_sum", "the sum of each row's counts"},
    {"counts_sum_inv", "one over that sum"},
    {"probs", "the probability of each character to come next; every row sums to 1"},
    {"logprobs", "the logarithm of the probabilities"},
    {"loss", "the mean over the batch of −ln of the right answer's probability"},
});

}  // namespace

std::string meaning(const std::string& name) {
    const Value value = value_of(name);
    const auto* const found = std::ranges::find(kMeanings, value.base, &Meaning::name);
    if (found == kMeanings.end()) {
        return "";
    }
    std::string text(found->text);
    switch (value.kind) {
        case Kind::gradient:
            return "how the loss changes with " + without_kind(name) + ": " + text;
        case Kind::updated:
            return without_kind(name) + " after this step's update: " + text;
        case Kind::evaluated:
            return without_kind(name) + " by the running statistics: " + text;
        case Kind::value:
            break;
    }
    return text;
}

}  // namespace byhand
