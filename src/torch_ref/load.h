// Opens LibTorch's side.
#pragma once

#include "torch_ref/torch_ref.h"

namespace byhand::torch_ref {

// Opens the module beside the program once and never closes it. LibTorch is told to use one thread, as is its BLAS,
// before it is opened. Throws InputError where the module is absent or LibTorch can't be opened.
const Factory& load();

}  // namespace byhand::torch_ref
