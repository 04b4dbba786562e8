// How far two sides may be apart: all of it in one place.
#pragma once

#include "base/view.h"

namespace byhand {

// The largest difference that still counts as rounding: 1e-4 of the witness's largest magnitude, 16 times the largest
// error of the witness itself against the oracle (where there is one of the same shape), and 1e-7. The last two are for
// values that are nothing but rounding (a bias before a norm, the maximum's path through softmax, a mean that is zero
// in exact arithmetic): their own magnitude says nothing, and LibTorch's float knows them no better. Elements of the
// witness that are not finite are left out of its magnitude; one of the oracle makes the limit a NaN, which no
// difference is within.
double plain_limit(const View& witness, const View* oracle);

}  // namespace byhand
