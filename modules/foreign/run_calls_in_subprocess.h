// Calls in a subprocess, for CallConfig::subprocess.
#pragma once

#include <vector>

#include "harness/isolated/run_calls.h"

namespace byhand {

// One subprocess for both: first the calls in float, then those in double, with a time limit each. What is tried and
// what it throws: run_calls.
ResultsOfBoth run_calls_in_subprocess(const std::vector<Call<float>>& in_float,
                                      const std::vector<Call<double>>& in_double, const CallConfig& config);

}  // namespace byhand
