// Dropout's mask and key, for single steps and for the module.
#pragma once

#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// The mask of this shape, (rows, width), in the key's type: 1/(1 − p) where a number is kept, 0 where it is dropped.
// See manual's dropout/formulas.h for how numbers follow from the key.
at::Tensor dropout_mask(const at::Tensor& key, const Shape& shape, double p);

// The key of the next step.
at::Tensor next_dropout_key(const at::Tensor& key);

}  // namespace byhand::torch_ref
