// The only place where a torch::Tensor becomes a View, and where plain numbers become tensors and go back.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>

#include "base/batch.h"
#include "base/tensors.h"
#include "base/view.h"

namespace byhand::torch_ref {

// A tensor of the names of network.h, for those who keep several in order.
struct Named {
    std::string name;
    torch::Tensor tensor;
};

// LibTorch's word for float32, float64 or int64.
torch::ScalarType scalar_type(DType dtype);

// Looks at the tensor's memory: valid as long as somebody holds the tensor. Throws std::logic_error where its elements
// don't lie in rows one after another, or are of a type that View has no word for.
View view(const std::string& name, const torch::Tensor& tensor);

// A copy of what the view shows: floating point as float64, indices as int64.
torch::Tensor copy_of(const View& view);

// A copy of the tensor called spec.name, in that type.
torch::Tensor tensor(const Tensors<float>& from, const TensorSpec& spec, DType dtype);

// Copies between a tensor of floats and the one called spec.name, in either direction. `transposed` says that the
// tensor has the two axes of spec.shape the other way round, as torch::nn::Linear has its weight.
void load(const torch::Tensor& to, bool transposed, const Tensors<float>& from, const TensorSpec& spec);
void save(Tensors<float>& to, const TensorSpec& spec, const torch::Tensor& from, bool transposed);

// The caller's own memory as a tensor, without a copy: valid as long as the memory. For reading only, save for
// `logits`, which is there to be written.
torch::Tensor contexts(const Batch& batch, std::size_t context);                       // (B, T) int64
torch::Tensor contexts(std::span<const std::int64_t> X, std::size_t context);          // (rows, T) int64
torch::Tensor targets(const Batch& batch);                                             // (B) int64
torch::Tensor logits(std::span<float> out, std::size_t rows, std::size_t vocabulary);  // (rows, V) float

}  // namespace byhand::torch_ref
