// Somebody else's numbers, each judged by what else he gave.
#pragma once

#include <vector>

#include "harness/comparison.h"
#include "harness/values.h"

namespace byhand {

// Each of `given` that a step makes, judged by what else is given, in the first of the forms for which all gradients
// are there that the step reads. The same step in other words may round up to four times as much as ours does. Forward
// values that are not given are the reference's, and may be off by their limit in the chain. A step whose limit says
// nothing because of that is left out; so is one of whose reads some are missing.
std::vector<StepAlone> judge_given(const std::vector<View>& given, const StepNetwork<float>& network,
                                   const std::vector<Form>& forms, const Values& reference, const Limits& limits);

}  // namespace byhand
