// Common mistakes in a backward pass, planted in the lists of steps by name: a wrong function for a step, rewired
// inputs, steps reordered or dropped. The root cause is known, so a harness can be scored.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "steps/step.h"

namespace byhand {

struct RankPlan;  // see rank_plan.h

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

// All of them: norm, softmax and loss, layers and embedding, update and evaluation, order and memory, only on some
// data, on several ranks. Each operation's are in the file of its name.
const std::vector<Mistake>& mistakes();

// By its name, or nullptr.
const Mistake* find_mistake(const std::string& name);

// The names whose steps the mistake makes wrong, of whatever size it is; empty if it does not apply to the network.
std::vector<std::string> culprits_in(Graph network, const Mistake& mistake);

}  // namespace byhand
