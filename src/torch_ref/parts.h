// Sums over all parts of a batch (base/parts.h), of LibTorch's tensors and in autograd.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "base/group.h"
#include "base/parts.h"

namespace byhand::torch_ref {

using Shares = std::vector<at::Tensor>;

// The sum of the shares of all parts. Each rank passes those of its own parts, in float and of one shape; a rank
// without parts passes one, which is not added. All ranks must reach their sums in the same order.
at::Tensor total(const Shares& shares, std::size_t parts, Group& group);

// The means and the variances of columns over the rows of all parts, (2, H), in autograd, once for each of the shares:
// these are (2, H) as Moments (base/parts.h) has them, of as many rows of the batch as `rows` says. In the backward
// pass all ranks take part again: a share receives the sum of the gradients of the results of all parts.
std::vector<at::Tensor> totals(const Shares& shares, const std::vector<std::size_t>& rows, std::size_t parts,
                               const Moments& moments, Group& group);

}  // namespace byhand::torch_ref
