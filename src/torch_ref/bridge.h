// The only conversion between LibTorch's tensors and views or plain arrays; and the values that an implementation keeps
// of one step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "byhand/view.h"

namespace byhand::torch_ref {

// A tensor with its name as in network.h, for ordered lists of them.
struct Named {
    std::string name;
    at::Tensor tensor;
};

// LibTorch's dtype for float32, float64 or int64.
at::ScalarType scalar_type(DType dtype);

// A view of the tensor's memory, valid as long as the tensor exists. Throws std::logic_error if it is not contiguous or
// its type is not one of View's.
View view(const std::string& name, const at::Tensor& tensor);

// A copy of the view's elements: floating point as float64, indices as int64.
at::Tensor copy_of(const View& view);

// A copy of the tensor called spec.name, in that type.
at::Tensor tensor(const Tensors<float>& from, const TensorSpec& spec, DType dtype);

// Copies between a tensor of floats and the one called spec.name, in either direction. `transposed`: the tensor has the
// two axes of spec.shape exchanged, like the weight of torch::nn::Linear.
void load(const at::Tensor& to, bool transposed, const Tensors<float>& from, const TensorSpec& spec);
void save(Tensors<float>& to, const TensorSpec& spec, const at::Tensor& from, bool transposed);

// The caller's own memory as a tensor, without a copy: valid as long as the memory. Read-only, except for `logits`,
// which is written to.
at::Tensor contexts(const Batch& batch, std::size_t context);                       // (B, T) int64
at::Tensor contexts(std::span<const std::int64_t> X, std::size_t context);          // (rows, T) int64
at::Tensor targets(const Batch& batch);                                             // (B) int64
at::Tensor logits(std::span<float> out, std::size_t rows, std::size_t vocabulary);  // (rows, V) float

// The values of one step, as they are computed.
using Record = std::vector<Named>;

// Keeps a value in the record, if there is one, retains its gradient, and returns it.
at::Tensor keep(Record* record, const std::string& name, at::Tensor value);

// The gradients "dX" of all values but the loss that require one, after loss.backward(), in the order of `order`, which
// may have more names (backward_order). Throws std::logic_error if autograd has no gradient for a tensor or a tensor is
// not in the order.
std::vector<Named> gradients(const std::vector<std::string>& order, const Record& values);

}  // namespace byhand::torch_ref
