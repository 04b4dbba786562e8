// External values, each judged by the others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/end_to_end/comparison.h"

namespace byhand {

// The names of those of `given` that were computed in double, as far as numbers tell: they are in double, or they are
// the very numbers that LibTorch makes in double, `oracle`, though float holds them all (`emb`, −1/n where n is 32).
std::set<std::string> computed_in_double(const std::vector<View>& given, const std::vector<View>& oracle);

// Each of `given` that a step makes, judged by what else is given, in the first of the forms for which all gradients
// are there that the step reads. The same step by an equivalent formula may round up to four times as much as ours
// does. Forward values that are not given are the reference's, and may be off by their limit in the chain. A step whose
// limit says nothing because of that is left out; so is one of whose reads some are missing. A value in double is
// judged by the limits of double where all that it is computed from is in double, in whichever of the forms: what is
// given and among `in_double`, and what is not given where the reference is in double. (What the update makes is judged
// by those of float: the rate is one.) `reference` has X, Y and rate as well.
std::vector<IsolatedStep> judge_external(const std::vector<View>& given, const Graph& network,
                                         const std::vector<Form>& forms, const std::vector<View>& reference,
                                         const Limits& limits, const std::set<std::string>& in_double);

// What else is to be given so that the steps are judged that lead to `failing`: the values on the way there, nearest
// first, that are not given and that the reference's can't stand for.
std::vector<std::string> missing_for(const std::vector<std::string>& failing, const std::vector<View>& given,
                                     const Graph& network);

}  // namespace byhand
