// What the claims have in common: networks with the norm and without, trained on the same seeds, and the
// sections of their report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lab/claims/verdict.h"
#include "lab/figures.h"
#include "lab/training.h"
#include "report/document.h"

namespace byhand::lab {

// A network in two forms that differ in the norm alone, but for the biases that a norm makes superfluous: the form
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
// The same with the first network alone.
Bench first_network(Bench bench);

// A row of the table of claims: one figure a seed for either form.
struct Row {
    std::string name;  // of the claim
    std::string network;
    std::string claim;    // a sentence
    std::string measure;  // in full
    std::string brief;    // the same in 13 characters at most, for the table
    Better better = Better::smaller;
    std::vector<double> with, without;

    std::vector<double>& of(Arm arm) { return arm == Arm::with ? with : without; }
};
Verdict verdict_of(const Row& row);

struct Section {
    std::vector<Block> blocks;      // what was done and its figures; the verdicts come after them
    std::vector<Block> conclusion;  // after the verdicts
    std::vector<Plot> plots;
    std::vector<Row> rows;
};

// Trainings that a claim asks for, and what it makes of them once they are done.
struct Plan {
    std::vector<Training> trainings;
    std::function<std::vector<Section>(const Bench& bench, std::span<const Trained> trained)> tell;
};

// Trainings of every network in both forms, over some values (rates, factors …) and all seeds, in this order.
struct Grid {
    std::size_t networks = 0, values = 0, seeds = 0;

    std::size_t size() const { return networks * kArms.size() * values * seeds; }
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

// As many decimals as show three digits of the larger one's mean, four at most.
int decimals_for(const std::vector<double>& with, const std::vector<double>& without);

std::string title_of(const std::string& title, const Network& network);

Plan plan_rates(const Bench& bench);        // faster, rates
Plan plan_weights(const Bench& bench);      // weights
Plan plan_regularised(const Bench& bench);  // regularised
Plan plan_inputs(const Bench& bench);       // inputs
Plan plan_shift(const Bench& bench);        // shift

}  // namespace byhand::lab
