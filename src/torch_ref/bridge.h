// The only place where LibTorch's tensors become views, and where plain numbers become tensors and go back; and what a
// side keeps of one step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/tensors.h"
#include "base/view.h"

namespace byhand::torch_ref {

// A tensor of the names of network.h, for those who keep several in order.
struct Named {
    std::string name;
    at::Tensor tensor;
};

// LibTorch's word for float32, float64 or int64.
at::ScalarType scalar_type(DType dtype);

// Looks at the tensor's memory: valid as long as somebody holds the tensor. Throws std::logic_error where its elements
// don't lie in rows one after another, or are of a type that View has no word for.
View view(const std::string& name, const at::Tensor& tensor);

// A copy of what the view shows: floating point as float64, indices as int64.
at::Tensor copy_of(const View& view);

// A copy of the tensor called spec.name, in that type.
at::Tensor tensor(const Tensors<float>& from, const TensorSpec& spec, DType dtype);

// Copies between a tensor of floats and the one called spec.name, in either direction. `transposed` says that the
// tensor has the two axes of spec.shape the other way round, as torch::nn::Linear has its weight.
void load(const at::Tensor& to, bool transposed, const Tensors<float>& from, const TensorSpec& spec);
void save(Tensors<float>& to, const TensorSpec& spec, const at::Tensor& from, bool transposed);

// The caller's own memory as a tensor, without a copy: valid as long as the memory. For reading only, save for
// `logits`, which is there to be written.
at::Tensor contexts(const Batch& batch, std::size_t context);                       // (B, T) int64
at::Tensor contexts(std::span<const std::int64_t> X, std::size_t context);          // (rows, T) int64
at::Tensor targets(const Batch& batch);                                             // (B) int64
at::Tensor logits(std::span<float> out, std::size_t rows, std::size_t vocabulary);  // (rows, V) float

// The forward values of one step.
class Record {
public:
    // Keeps a value under its name and has autograd keep its gradient. Returns it, to go on with.
    at::Tensor keep(const std::string& name, at::Tensor value);

    const std::vector<Named>& values() const { return values_; }

private:
    std::vector<Named> values_;
};

// The gradients "dX" of all values and parameters but the loss, after loss.backward(), in the order of `order`, which
// may have more names (backward_order). Throws std::logic_error where autograd has none for a tensor or where a tensor
// is not in the order.
std::vector<Named> gradients(const std::vector<std::string>& order, const std::vector<Named>& values,
                             const std::vector<Named>& parameters);

}  // namespace byhand::torch_ref
