// The limits of a whole network: how far a right computation in float may be from the exact one if every step reads the
// results of earlier steps. They are measured; worst-case bounds that are carried through the network are too wide to
// decide anything.
//
// K runs in double disturb the result of every step by its own rounding: each element by one standard deviation, up or
// down (equal values, such as equal rows of a batch, round alike), and the whole step by half of one (a rounded
// constant has the same error everywhere). This is Monte Carlo arithmetic (Parker 1997; random rounding: Vignes 1978);
// Rounded::variance gives the size of each step's rounding. The spread is the difference between the disturbed runs and
// the undisturbed one. One run in four disturbs four times as much, and its difference is divided by four. One more run
// disturbs nothing and only rounds what float cannot represent.
//
// Equal values may round alike or differently. The runs disturb them in part separately; if all rows of the batch are
// equal, as many further runs disturb them alike, and the larger spread counts.
//
// A derivative that jumps at 0, as a relu's, may be on either side if its input is 0 within the limit. A run with these
// elements on the other side moves all other values, and that distance is added to their limits.
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

// The rounding of other functions than those of the network that the limits are measured with.
struct OtherRounding {
    // The standard deviation of each element of a step's result, by its name. The network's own counts if it is larger.
    std::map<std::string, std::vector<double>> deviations;
    bool any_order = false;  // the other functions may sum in any order
};

struct MonteCarloConfig {
    std::size_t runs = 32;  // K
    // The probability that a right element exceeds its limit if its error has the distribution of the runs' errors.
    double false_alarm = 1e-12;
    std::uint64_t seed = 1;
};

// The limit of every element of every value that the graph makes: the spread (the root of the mean square over the
// runs) times Student's t with K degrees of freedom at `false_alarm`, because the spread itself is an estimate from K
// runs. Infinite if float may overflow. `state` has the table state(graph.config).
Limits chain_limits(const Graph& graph, const Tensors<float>& state, const Batch& batch, float rate,
                    const MonteCarloConfig& config, const OtherRounding& other = {});

// The x that |t| exceeds with probability p, for Student's t with `degrees` degrees of freedom.
double student_t(std::size_t degrees, double p);

// The unit of rounding of double over that of float.
inline constexpr double kDoubles = 0x1p-29;

// The larger of the two limits of every element.
Limits wider(Limits limits, const Limits& others);

// The limits of the same network in double: errors scale with the unit of rounding, and the oracle, which also computes
// in double, adds its own. Values that depend on the rate keep float's limits: the rate is a float in all
// implementations, except perhaps the external one.
Limits in_double(Limits limits, const Graph& network);

}  // namespace byhand
