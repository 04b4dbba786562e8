// Candidates of a comparison that this module makes: external values, and networks with a planted mistake.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checks/external/external.h"
#include "compare/candidates.h"
#include "harness/mistake.h"

namespace byhand {

// External values, in the form of ExternalModel. The reference must outlive it.
std::unique_ptr<Candidate> external_candidate(std::unique_ptr<ExternalModel> given, const Reference& reference);

// The stepwise network with an injected fault, and the names of its root causes: empty if the fault does not apply. A
// fault whose size follows from the smallest error that is guaranteed to be detected takes that of LibTorch's training
// step `first`.
struct PlantedCandidate {
    std::unique_ptr<StepCandidate> candidate;
    std::vector<std::string> culprits;
};
PlantedCandidate with_mistake(const Mistake& mistake, const Reference& reference, const TrainingStep& first);

}  // namespace byhand
