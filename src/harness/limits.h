// How far two sides may be apart: all of it in one place.
#pragma once

#include "base/view.h"

namespace byhand {

// The largest difference that still counts as rounding: 1e-4 of the witness's largest magnitude, and 1e-7 for values
// that are nothing but rounding (the bias before a norm, the maximum's path through softmax), whose own magnitude says
// nothing. Non-finite elements are left out of the magnitude.
double plain_limit(const View& witness);

}  // namespace byhand
