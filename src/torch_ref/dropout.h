// Dropout's mask and key, for single steps and for the module.
#pragma once

#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// The mask of this shape, (rows, width), in the key's type: 1/(1 − p) for kept elements, 0 for dropped ones. The random
// numbers are defined by the key and the place in the batch, as in manual's dropout/formulas.h; `rows_before` rows of
// the batch are before these.
at::Tensor dropout_mask(const at::Tensor& key, const Shape& shape, double p, std::size_t rows_before = 0);

// The key of the next step.
at::Tensor next_dropout_key(const at::Tensor& key);

}  // namespace byhand::torch_ref
