// A measurement compared with an earlier one on the same machine, from the JSON of bench or bench --kernels.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/machine.h"
#include "bench/rounds.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::bench {

// With fewer rounds, p10 and p90 are hardly more than the fastest and the slowest of a few.
inline constexpr std::size_t kLeastRounds = 10;

// A recipe's step, or an operation of it.
struct Timing {
    std::string recipe;
    std::string name;             // the recipe's, or also the operation's and its shape
    std::optional<double> flops;  // of a step
    Spread us;
    std::optional<Spread> ratio;  // to LibTorch
};

struct Report {
    std::string where;  // the file, for messages
    std::string cpu, target;
    std::string torch;  // version and BLAS core; empty without LibTorch
    std::size_t threads = 1;
    bool of_operations = false;
    std::vector<Timing> timings;
};

// Of the data of a document, or of a file that contains it. Throws InputError that begins with `where` for any other
// JSON.
Report report_of(const Json& data, const std::string& where);

// Throws InputError, before anything is measured, if the earlier report is of another machine, number of threads or
// kind, or lacks all of the recipes, whose networks have the vocabulary of the data.
void check_comparable(const Report& earlier, const Machine& machine, bool of_operations,
                      const std::vector<Recipe>& recipes);

enum class Change { faster, none, slower };

// The time of a step relative to the earlier one.
struct Difference {
    bool by_ratio = false;        // from the ratios to LibTorch, else from the times
    double earlier = 0, now = 0;  // their medians
    double change = 0;            // of the time: 0.1 takes a tenth longer
    // How large a change is explained by the rounds of both runs: p90 of the shorter time and p10 of the longer, as
    // factors of their medians. A few slow rounds, of which p90 of the longer time consists, explain nothing.
    double uncertainty = 0;
    Change verdict() const;
};

// By the ratios if both have them and `same_torch`: what slows the machine down slows LibTorch down, too.
Difference difference(const Timing& earlier, const Timing& now, bool same_torch);

// Adds a table, conclusions and the key "compared" to the document of bench or bench --kernels; timings that only one
// of the two reports has are named. Throws InputError if they have none in common. Returns whether something is slower.
bool add_comparison(Document& document, const Report& earlier);

}  // namespace byhand::bench
