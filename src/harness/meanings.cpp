#include "harness/meanings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

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

bool strip(std::string& name, std::string_view prefix) {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) {
        return false;
    }
    name.erase(0, prefix.size());
    return true;
}

// Without ".3", or the 3 of W3 and b3.
std::string without_layer(std::string name) {
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;
    if (digits == name.size() || digits == 0) {
        return name;
    }
    const std::string before = name.substr(0, digits);
    if (before.ends_with('.')) {
        return before.substr(0, digits - 1);
    }
    return before == "W" || before == "b" ? before : name;
}

std::string_view own_meaning(const std::string& name) {
    const auto* const found = std::ranges::find(kMeanings, without_layer(name), &Meaning::name);
    return found != kMeanings.end() ? found->text : std::string_view();
}

}  // namespace

std::string meaning(const std::string& name) {
    if (const std::string_view own = own_meaning(name); !own.empty()) {
        return std::string(own);
    }
    struct Prefix {
        std::string_view prefix, before, after;
    };
    constexpr std::array kPrefixes = std::to_array<Prefix>({
        {"new_", "", " after this step's update: "},
        {"eval_", "", " by the running figures: "},
        {"d", "how the loss changes with ", ": "},
    });
    for (const auto& [prefix, before, after] : kPrefixes) {
        std::string of = name;
        if (strip(of, prefix)) {
            const std::string_view own = own_meaning(of);
            return own.empty() ? "" : std::string(before) + of + std::string(after) + std::string(own);
        }
    }
    return "";
}

}  // namespace byhand
