// A study: arms over values on seeds, and claims about them, as data. One engine trains the arms, tests differences
// over the seeds, and writes table, plot, text and JSON from the same figures.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "lab/figures.h"
#include "lab/training.h"
#include "report/document.h"

namespace byhand::lab {

// A figure for each seed of each arm at each value of what is varied.
struct Study {
    std::string key, title;  // in the JSON; of the table and the plot
    std::vector<std::string> arms;
    std::size_t seeds = 1;
    std::string measure;      // "nats"
    std::string varied = {};  // "learning rate"; empty if nothing is
    std::vector<double> values = {0};
    int decimals = 3;
    bool log_x = true;
    // The figures differ by factors: medians with their range in place of means with their deviation, differences of
    // logarithms, and a logarithmic axis.
    bool by_factors = false;
    double largest_plotted = std::numeric_limits<double>::infinity();
    std::vector<double> figures = {};  // (arms, values, seeds)

    std::size_t index(std::size_t arm, std::size_t value, std::size_t seed) const {
        return (arm * values.size() + value) * seeds + seed;
    }
    // The seeds at one value.
    std::vector<double> at(std::size_t arm, std::size_t value = 0) const;
    // One seed over the values.
    std::vector<double> of_seed(std::size_t arm, std::size_t seed) const;
};

// The study with figure(arm, value, seed) of each place.
template <class Figure>
Study filled(Study study, Figure figure) {
    study.figures.clear();
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        for (std::size_t value = 0; value < study.values.size(); ++value) {
            for (std::size_t seed = 0; seed < study.seeds; ++seed) {
                study.figures.push_back(figure(arm, value, seed));
            }
        }
    }
    return study;
}

// Trains make(arm, value) for each place of the study, in its order, all on the same seeds.
std::vector<Trained> train(const Study& study,
                           const std::function<Training(std::size_t arm, std::size_t value, std::size_t seed)>& make,
                           const Setup& setup);

// The study over these steps, with curves[arm·seeds + seed]; NaN behind the end of a shorter one.
Study over_steps(Study study, std::vector<double> steps, const std::vector<std::vector<double>>& curves);

// The minibatch losses over the steps, some windows of the curve taken together. Each training in the order of `study`
// at its only value.
Study loss_curves(Study study, const std::vector<Trained>& trained);

// ---- claims ----

enum class Better { smaller, larger };
enum class Outcome { holds, does_not_hold, no_difference, undecided };
struct Test {
    Outcome outcome = Outcome::undecided;
    double difference = 0;  // the mean of first − second over the seeds
    double error = 0;       // its standard error; 0 for a single seed
};

// A difference counts from this many standard errors on. Over five seeds chance alone reaches it in one case of 25
// (Student's t with 4 degrees of freedom).
inline constexpr double kErrorsThatCount = 3;

// Whether the first figures are the better ones. They are paired: figure i of both is of the same seed. A single pair,
// or a figure that is not finite, is undecided. Precondition: as many in both, at least one.
Test test_of(const std::vector<double>& first, const std::vector<double>& second, Better better);

// "holds", "does not hold", "no difference beyond the spread", "undecided".
std::string words_of(Outcome outcome);

// A figure a seed for each of two arms.
struct Claim {
    std::string name, subject;  // "rates", "notes"
    std::string sentence;       // "It allows larger learning rates"
    std::string measure;        // in full
    std::string brief;          // the same in few characters, for the table
    Better better = Better::smaller;
    bool by_factors = false;
    double times = 1;  // by factors: the first must be better by more than this factor
    std::vector<std::string> arms = {};
    std::vector<double> first = {}, second = {};  // a figure a seed
};

// By measure(figures over the values) of each seed, for the first two arms of the study.
Claim claim_on(const Study& study, Claim claim,
               const std::function<double(const std::vector<double>& figures)>& measure);

Test test_of(const Claim& claim);

// ---- the document ----

// A table with a row for each value, or of studies without values with a row for each arm and a column for each study;
// a plot of each study over its values; and data["studies"].
void add(Document& document, const std::vector<Study>& studies);

// A table with a row for each claim, a conclusion, and data["claims"]. The conclusion says how each claim was measured
// and tested, and what came out.
void add(Document& document, const std::vector<Claim>& claims);

}  // namespace byhand::lab
