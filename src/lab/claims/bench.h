// What the claims share: networks with the norm and without, trained on the same seeds, and verdicts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lab/training.h"
#include "report/document.h"

namespace byhand::lab {

// A network in two forms that differ in the norm only, but for the biases that a norm makes superfluous: the form
// without has one in every layer.
struct Network {
    std::string name;
    Recipe with, without;  // with the vocabulary of the data
    Examples train, val;   // the recipe's split
};
Network network_of(Recipe recipe, const Material& material);

enum class Arm { with, without };
inline constexpr std::array kArms = {Arm::with, Arm::without};
const char* words_of(Arm arm);
const Recipe& recipe_of(const Network& network, Arm arm);

struct Bench {
    std::vector<Network> networks;
    std::vector<std::uint64_t> seeds;
    std::size_t steps = 0;
    std::set<std::string> wanted;  // claims
};
// The same with the first network only.
Bench first_network(Bench bench);

// ---- trainings ----

// Trainings of every network in both forms, over some values (rates, factors …) and all seeds, in this order.
struct Grid {
    std::size_t networks = 0, values = 0, seeds = 0;

    std::size_t index(std::size_t network, Arm arm, std::size_t value, std::size_t seed) const {
        return ((network * kArms.size() + static_cast<std::size_t>(arm)) * values + value) * seeds + seed;
    }
    // measure(index) of each seed.
    template <class Measure>
    std::vector<double> over_seeds(std::size_t network, Arm arm, std::size_t value, Measure measure) const {
        std::vector<double> figures(seeds);
        for (std::size_t seed = 0; seed < seeds; ++seed) {
            figures[seed] = measure(index(network, arm, value, seed));
        }
        return figures;
    }
};
Grid grid_of(const Bench& bench, std::size_t values);

// make(recipe, value) for each place of the grid, in its order; the recipe has its seed.
std::vector<Training> trainings_of(const Bench& bench, std::size_t values,
                                   const std::function<Training(Recipe recipe, std::size_t value)>& make);

// The recipe with this rate throughout.
Recipe at_rate(Recipe recipe, double rate);
// For trainings of which only the minibatches' losses count: next to nothing is evaluated at the end.
Training for_its_curve(Recipe recipe);

// ---- verdicts ----

enum class Better { smaller, larger };
enum class Outcome { holds, does_not_hold, no_difference, undecided };
struct Verdict {
    Outcome outcome = Outcome::undecided;
    double difference = 0;  // the mean of with − without over the seeds
    double error = 0;       // its standard error; 0 where there is one seed
};

// A difference counts from so many standard errors on. Over five seeds a difference of chance alone gets there in one
// case of 25 (Student's t with 4 degrees of freedom).
inline constexpr double kErrorsThatCount = 3;

// The claim is that the first figure is the better one. They are paired: figure i of both is of the same seed. One
// pair, or a figure that is not finite, is undecided. Precondition: as many in both, one at least.
Verdict verdict_of(const std::vector<double>& with, const std::vector<double>& without, Better better);

// "holds", "does not hold", "no difference beyond the spread", "undecided"; for a table "no difference".
std::string words_of(Outcome outcome);
std::string brief(Outcome outcome);

// One figure a seed for either form.
struct Claim {
    std::string name, network;
    std::string sentence;
    std::string measure;  // in full
    std::string brief;    // the same in 13 characters at most, for the table
    Better better = Better::smaller;
    std::vector<double> with = {}, without = {};  // NOLINT(readability-redundant-member-init): they may be left out

    std::vector<double>& of(Arm arm) { return arm == Arm::with ? with : without; }
};

// A row a claim, with its verdict: the columns network, name, brief, with, without, difference, standard_error,
// outcome (brief), claim, measure, verdict.
Table table_of(const std::vector<Claim>& claims);

// ---- the document ----

struct Section {
    std::vector<Block> blocks;  // what was done, and its figures; the verdicts come after them
    std::vector<Plot> plots;
    std::vector<Claim> claims;
    std::vector<Claim> further;  // comparisons with a verdict that are no claim of the note
};

// Trainings, and the sections that are made of them once they are done.
struct Plan {
    std::vector<Training> trainings;
    std::function<std::vector<Section>(std::span<const Trained> trained)> sections;
};
// The bench must outlive the plan.
Plan plan_rates(const Bench& bench);        // faster, rates
Plan plan_weights(const Bench& bench);      // weights
Plan plan_regularised(const Bench& bench);  // regularised
Plan plan_inputs(const Bench& bench);       // inputs
Plan plan_shift(const Bench& bench);        // shift

std::string title_of(const std::string& title, const Network& network);

}  // namespace byhand::lab
