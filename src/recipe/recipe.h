// A recipe: all parameters of a run, as data. recipes/*.json have the same fields (docs/recipes.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/network.h"
#include "base/tensors.h"
#include "names/random.h"

namespace byhand {

// The layers that a rule applies to.
enum class LayerSet { all, hidden, output };

// The initial values of one kind of parameter. In the recipe:
//   {"parameter": "W", "layers": "hidden", "normal": 1.6666666666666667, "over": "sqrt_fan_in"}
// draws every hidden W as (randn · 5/3) / √fan_in, and
//   {"parameter": "bngain", "normal": 0.1, "plus": 1}     is  randn · 0.1 + 1,
//   {"parameter": "bnbias", "constant": 0}                draws nothing.
struct InitialRule {
    std::string parameter;  // C, W, b, bngain, bnbias, bnmean_running, bnvar_running, lngain, lnbias or rmsgain
    LayerSet layers = LayerSet::all;
    std::optional<double> normal;  // factor of a normal draw; a factor of 0 still draws
    bool over_sqrt_fan_in = false;
    double plus = 0;  // added after; the constant itself if nothing is drawn

    bool operator==(const InitialRule&) const = default;
};

// The transition of the learning rate to that of the next entry: a jump at its step, a straight line, or half a cosine.
enum class RateThen { hold, linear, cosine };

// The learning rate from this step on.
struct RateFrom {
    std::size_t step = 0;
    double rate = 0;
    RateThen then = RateThen::hold;  // hold for the last entry

    bool operator==(const RateFrom&) const = default;
};

// An upper bound on the number of parts of a batch.
inline constexpr std::uint64_t kMostParts = 4096;
// An upper bound on the number of steps.
inline constexpr std::uint64_t kMostSteps = 1'000'000'000'000'000;

struct Recipe {
    std::string name;
    std::string about;                 // one line
    NetworkConfig network;             // its vocabulary comes from the data, not from the recipe
    std::uint64_t seed = 0;            // of the generator of the initial values, which then draws the batches
    std::vector<InitialRule> initial;  // rule by rule, each over its layers in order
    std::uint64_t split_seed = 42;
    double first_cut = 0.8, second_cut = 0.9;
    std::size_t batch = 32;                   // B
    std::optional<std::uint64_t> batch_seed;  // a separate generator for the batches
    std::size_t parts = 1;                    // in which the rows of a batch are summed (base/parts.h)
    std::size_t steps = 0;
    std::vector<RateFrom> rates;    // in increasing order of step, the first from 0
    std::uint64_t sample_seed = 0;  // of the generator of `sample`

    bool operator==(const Recipe&) const = default;
};

// The learning rate of a step: between r0 from step s0 and r1 from step s1, with x = (step − s0)/(s1 − s0), linear is
// r0 + (r1 − r0)·x and cosine r1 + (r0 − r1)·½(1 + cos πx), as in PyTorch's CosineAnnealingLR. Precondition:
// recipe.rates is not empty and begins with step 0.
double rate_at(const Recipe& recipe, std::size_t step);

// The recipe's initial state, a table equal to state(recipe.network); draws from `g` in the order of the rules.
// Arithmetic in float, as in PyTorch. A rule for a parameter that the network lacks draws nothing; running statistics
// without a rule are 0 (mean) and 1 (variance or standard deviation), the optimizer's state is 0; the keys of dropouts
// are drawn last. Throws InputError if a parameter has no rule, or any tensor two; nothing is drawn then. Precondition:
// check_network holds.
Tensors<float> initial_state(const Recipe& recipe, TorchGenerator& g);

// Parses JSON. `where` names the file in messages. Throws InputError that names the key: not JSON, a missing, unknown
// or duplicate key, a wrong type, a value out of range. Optional keys that are absent have the defaults of the structs;
// the vocabulary is that of a default NetworkConfig.
Recipe recipe_from_json(const std::string& text, const std::string& where);

// The whole recipe as JSON that recipe_from_json accepts, with every default written out (except in rules, where an
// absent key has no value); doubles keep their value. The same recipe yields the same text. With `in_full` the
// network's operations are listed one by one, as `layers`. Precondition: name and about are UTF-8.
std::string to_json(const Recipe& recipe, bool in_full = false);

// The differences in everything that determines a step (not the recipe's name, nor the number of steps, nor the seed of
// `sample`), key by key: "network.hidden.0 (100 there, 200 here)".
std::vector<std::string> differences(const Recipe& there, const Recipe& here);

// ---- A recipe as a JSON value ----

// The value whose text to_json returns.
Json json_of(Recipe recipe, bool in_full = false);

// ---- Changes of a recipe that a command line can ask for ----

// Empty members leave the recipe unchanged.
struct NetworkFlags {
    std::optional<std::size_t> embedding, context, batch;
    std::optional<std::vector<std::size_t>> hidden;  // widths
    std::optional<std::uint64_t> seed, split_seed;
    std::optional<std::string> activation;
    std::optional<std::string> norm;         // "before", "after", "none"
    std::optional<std::string> norm_kind;    // "batch", "layer", "rms", "none"
    std::optional<std::string> bn_variance;  // "biased", "unbiased"
    std::optional<std::string> optimizer;    // "sgd", "momentum", "nesterov", "adamw"
    std::optional<double> bn_eps, weight_decay, rate;
    bool residual = false, tied = false;
};

// Throws InputError, naming the flag, if flags contradict each other, or the network has no place for what they change.
Recipe with_flags(Recipe recipe, const NetworkFlags& flags);

}  // namespace byhand
