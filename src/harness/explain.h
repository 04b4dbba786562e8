// What there is to say of each value of a network, from the lists of steps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/mistake.h"
#include "steps/step.h"

namespace byhand {

struct Explanation {
    std::string name;
    std::string meaning;
    Shape shape;
    std::string function = {};  // empty where the value is given: the batch, the state, the rate
    std::vector<std::string> reads = {};
    std::vector<std::string> read_by = {};      // the steps that use it
    std::vector<const Mistake*> mistakes = {};  // that people make in its step
};

// The mistakes that people make, by the values whose steps they spoil.
using MistakesByValue = std::map<std::string, std::vector<const Mistake*>>;
MistakesByValue mistakes_by_value(const Graph& network, KnownMistakes mistakes);

// Every value of the network: first what is given, then what its steps make, in their order.
std::vector<Explanation> explain(const Graph& network, KnownMistakes mistakes);

}  // namespace byhand
