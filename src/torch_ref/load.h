// Opens LibTorch's side.
#pragma once

#include "torch_ref/torch_ref.h"

namespace byhand::torch_ref {

// Opens the module once and never closes it: lib/byhand/byhand_torch_ref.so in the program's folder or the one above.
// LibTorch then has one thread; so has its BLAS, unless the environment names a count (OPENBLAS_NUM_THREADS).
// Throws InputError where the module is absent or can't be opened.
const Factory& load();

}  // namespace byhand::torch_ref
