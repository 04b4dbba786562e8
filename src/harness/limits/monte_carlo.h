// How far a right computation in float may end up from the exact one end to end, where every step reads what the
// steps before it made: measured, not bounded. (Worst-case bounds carried through the chain are too wide to say
// anything.)
//
// K runs in double, in each of which every step's result is moved by its own rounding: up or down by one standard
// deviation of it, value by value (equal values round alike: equal rows of a batch), and by half of one for the whole
// step (a rounded constant errs alike everywhere). That is Monte Carlo arithmetic (Parker 1997; random rounding: Vignes
// 1978), with the size of each step's rounding from Rounded::variance. What the disturbed runs differ from the
// undisturbed one by is the spread; one run of four goes four times as far, and its share is a quarter. One more run
// moves nothing and only loses what float can't hold.
//
// Equal values may round alike or apart. In the runs they partly move apart; if all rows of the batch are equal, as
// many further runs move them together, and the larger spread counts.
//
// A derivative that jumps at 0 (of a relu) may fall on either side where what it reads is 0 but for its limit: what all
// else moves by in a run with those elements on the other side is added to the limits.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "byhand/rounded.h"
#include "steps/step.h"

namespace byhand {

// The limits of every element by name; a value without limits is an input, and must be equal.
using Limits = std::map<std::string, std::vector<double>>;

// What is known of the rounding of functions that are not those of the network the limits are measured with.
struct OtherRounding {
    // The standard deviation of each element of what a step makes, by its name; where the network's own is larger, that
    // counts.
    std::map<std::string, std::vector<double>> deviations;
    bool any_order = false;  // the other steps may take their sums in any order
};

struct MonteCarloConfig {
    std::size_t runs = 32;  // K
    // The probability that a right element exceeds its limit, if its error is as the runs' errors are.
    double false_alarm = 1e-12;
    std::uint64_t seed = 1;
};

// The limit of every element of everything that the graph makes, by name: the spread, root of the mean square over
// the runs, times Student's t with K degrees of freedom at `false_alarm` (the spread is itself estimated from K runs).
// Not finite where float may leave its range. `state` is a table equal to state(graph.config).
Limits chain_limits(const Graph& graph, const Tensors<float>& state, const Batch& batch, float rate,
                    const MonteCarloConfig& config, const OtherRounding& other = {});

// The x that |t| exceeds with probability p, t being Student's with `degrees` degrees of freedom.
double student_t(std::size_t degrees, double p);

// The unit of double's rounding over that of float's.
inline constexpr double kDoubles = 0x1p-29;

// Of every element the larger of two.
Limits wider(Limits limits, const Limits& others);

// The same chain in double: errors are to those of float as the units of the two are, and the oracle's own, which
// computes in double as well, come on top. What follows from the rate keeps float's: it is a float in all
// implementations but, perhaps, the external one.
Limits in_double(Limits limits, const Graph& network);

}  // namespace byhand
