// Plants mistakes in networks, and counts those that are caught, and those that are blamed on the right step.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "byhand/view.h"
#include "harness/mistake.h"
#include "recipe/recipe.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand {

// The metric that compares the loss of the tenth step, in the usual four decimals.
inline constexpr const char* kLossMetric = "loss-10";

// One mistake in one recipe.
struct Score {
    std::string name, recipe;
    std::uint64_t seed = 0;
    std::size_t parts = 1;  // of the batch
    bool caught = false, blamed = false;
    bool caught_without_battery = false;           // by the batch and one random draw
    std::vector<std::string> culprits;             // as reported
    std::map<std::string, bool> baseline_metrics;  // which of the baseline metrics catch it
};

// All scores.
struct Scores {
    std::vector<Score> planted, clean;  // clean: the right network in each recipe
    struct NotApplicable {
        std::string name, recipe;
    };
    std::vector<NotApplicable> not_applicable;  // each once

    static std::size_t how_many(const std::vector<Score>& scores, auto what) {
        return static_cast<std::size_t>(std::ranges::count_if(scores, what));
    }
    std::size_t caught() const { return how_many(planted, &Score::caught); }
    std::size_t caught_without_battery() const { return how_many(planted, &Score::caught_without_battery); }
    std::size_t blamed() const { return how_many(planted, &Score::blamed); }
    std::size_t false_alarms() const { return how_many(clean, &Score::caught); }
};

struct ScoreConfig {
    std::size_t seeds = 3;             // each with its own values and batches
    std::optional<std::size_t> ranks;  // of mistakes of data parallelism, as threads; else one process
    // Called before each mistake, with the number of those done. May be empty.
    std::function<void(std::size_t done)> begins = {};
};

// Plants each mistake in each recipe's network, with each seed. All mistakes are of data parallelism, with ranks, or
// none is.
Scores score(const std::vector<const Mistake*>& mistakes, const std::vector<Run>& runs, const torch_ref::Factory& torch,
             const ScoreConfig& config);

// Whether the mistake can be planted in the recipe's network; one of data parallelism, on this many ranks.
bool applies(const Mistake& mistake, const Recipe& recipe, std::size_t ranks);

// ---- The metrics that others judge two tensors by, to see what they would have caught ----

// What they measure of the elements a of one tensor and b of the other.
struct Distances {
    Distances(const View& ours, const View& theirs);

    std::size_t elements = 0;
    bool all_close = true;                       // |a − b| ≤ 1e-8 + 1e-5·|b|, always
    double largest = 0;                          // |a − b|, of those that are no NaN
    double difference = 0;                       // Σ(a − b)
    double square = 0;                           // Σ(a − b)²
    double product = 0, ours2 = 0, theirs2 = 0;  // Σab, Σa², Σb²
};

struct BaselineMetric {
    std::string name;
    std::string rule;
    bool (*passes)(const Distances& distances);
};

// allclose at its defaults (relative 1e-5, absolute 1e-8), largest difference ≤ 2e-2, normalised mean square error
// ≤ 1e-7, cosine ≥ 0.999, mean difference ≤ 1e-5. Each as it is commonly written: `if (error > limit) fail`, which a
// NaN passes, except allclose, which it does not.
const std::vector<BaselineMetric>& baseline_metrics();

}  // namespace byhand
