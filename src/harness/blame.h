// Who is wrong, and who has only inherited it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/alone.h"
#include "steps/step.h"

namespace byhand {

struct Culprit {
    std::string name;             // what the step makes
    std::string function;         // that makes it
    std::string why;              // "on random values", "runs before W1, which it reads, is made"
    std::optional<Trial> trial;   // the figures, where it is figures that show it
    bool without_effect = false;  // on this network, on this batch (see StepAlone)
    bool not_on_batch = false;    // `trial` is one on other values
    // Of what the step makes.
    Shape shape = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

struct Victim {
    std::string name;
    std::string from;  // the culprit from which it inherits, or "" where none is found
};

// What is wrong with the lists themselves, whatever the functions compute: a step that reads what is made only after
// it, a name that no step makes. `wanted` are the lists as they should be.
std::vector<Culprit> list_faults(const Graph& network, const Graph& wanted);

// The faults of the lists, then the steps that are wrong in isolation, each name once, with what is first said of it.
std::vector<Culprit> find_culprits(const std::vector<Culprit>& faults, const std::vector<StepAlone>& alone);

// For each name that fails in the chain and is no culprit: the nearest culprit that it depends on.
std::vector<Victim> find_victims(const Graph& network, const std::vector<Culprit>& culprits,
                                 const std::vector<std::string>& failing);

}  // namespace byhand
