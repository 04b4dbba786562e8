// What the claims share: networks with the norm and without, trained on the same seeds, and verdicts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lab/figures.h"
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

    // The seeds of one place. `all` has an item for each training.
    template <class T>
    std::span<const T> of(std::span<const T> all, std::size_t network, Arm arm, std::size_t value) const {
        const std::size_t place = (network * kArms.size() + static_cast<std::size_t>(arm)) * values + value;
        return all.subspan(place * seeds, seeds);
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

// What a training leaves in its record while it runs, at moments after so many `steps`: over the seeds, the band of
// figure(record, moment).
template <class Record, class Figure>
Series by_step(const std::string& name, std::span<const std::shared_ptr<Record>> seeds, Figure figure) {
    const std::vector<double>& steps = seeds.front()->steps;
    std::vector<std::vector<double>> figures(steps.size());
    for (const std::shared_ptr<Record>& record : seeds) {
        for (std::size_t i = 0; i < std::min(figures.size(), record->steps.size()); ++i) {
            figures[i].push_back(figure(*record, i));
        }
    }
    return band(name, steps, figures);
}

// ---- what is read from the curves ----

// The mean of the curve's last fifth (one window at least); infinite where the training was not finite or shorter than
// a window.
double final_loss(const Trained& trained);

// steps_to, or `all`, the steps that it was to take, where the loss is never reached or the training was not finite.
double steps_or_all(const Trained& trained, double loss, std::size_t all);

// The largest x whose y is below the limit; nothing where none is. Both of a size, x rising.
std::optional<double> largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit);

// How far x may go without y leaving the lowest by more than `tolerance`, on both sides of it, in decades: between
// neighbours the crossing is taken in proportion on the logarithm of x, and at the ends of x it stops. Both of a size,
// x positive and rising; 0 where no y is finite.
double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance);

// Mean cross-entropy of `characters` by the frequencies that the characters have in `train`, with one added to each, in
// nats: what can be had without a look at what stands before. Precondition: none is empty.
double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary);

// How mean and deviation of some units wander over moments of a training. [moment][unit].
struct UnitFigures {
    std::vector<std::vector<double>> means, deviations;
};
// The deviation, over the moments, of each unit's mean (its deviation), summed over the units, by the sum of their
// mean deviations: in units of what a unit spreads over the batch. Precondition: two moments at least.
struct Wander {
    double mean = 0, deviation = 0;
};
Wander wander_of(const UnitFigures& figures);
// The unit whose mean wanders as much as half of the others.
std::size_t typical_unit(const UnitFigures& figures);

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
    std::vector<double> with = {}, without = {};

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
