// A mistake that can be planted in the steps of a network. Its root cause is known, so a harness can be scored by it;
// and wrong numbers that it makes too have a name.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "steps/step.h"

namespace byhand {

struct RankPlan;  // see modules/ranks/joined_graph.h

struct Mistake {
    std::string name;    // "dvar-path-forgotten"
    std::string what;    // one line
    std::string source;  // where it was made or described
    // Plants it and returns the names whose steps are then wrong; empty if it does not apply to the network.
    std::function<std::vector<std::string>(Graph& network)> plant;
    // Of data parallelism: plants it in a rank's plan, and returns the same names for every rank. Else empty.
    std::function<std::vector<std::string>(RankPlan& plan)> plant_in_rank = {};
    // Of a mistake whose size follows from the smallest error that is guaranteed to be detected, relative to the
    // largest magnitude of the step's result: plants it by that error, and `plant` plants nothing. Else empty.
    std::function<std::vector<std::string>(Graph& network, double caught)> plant_sized = {};
};

// A list of them that is handed over (modules/checks has one), and outlives what refers to it.
using KnownMistakes = std::span<const Mistake>;

// The names whose steps the mistake makes wrong, of whatever size it is; empty if it does not apply to the network.
inline std::vector<std::string> culprits_in(Graph network, const Mistake& mistake) {
    return mistake.plant_sized != nullptr ? mistake.plant_sized(network, 1) : mistake.plant(network);
}

}  // namespace byhand
