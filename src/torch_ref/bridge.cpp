#include "torch_ref/bridge.h"

#include <stdexcept>
#include <vector>

namespace byhand::torch_ref {
namespace {

std::vector<std::int64_t> sizes(const Shape& shape) {
    return {shape.begin(), shape.end()};
}

// from_blob has no form for what is only read.
torch::Tensor over(const void* data, const Shape& shape, DType dtype) {
    return torch::from_blob(const_cast<void*>(data), sizes(shape), torch::TensorOptions(scalar_type(dtype)));
}

DType dtype_of(const std::string& name, const torch::Tensor& tensor) {
    switch (tensor.scalar_type()) {
        case torch::kFloat32:
            return DType::float32;
        case torch::kFloat64:
            return DType::float64;
        case torch::kInt64:
            return DType::int64;
        default:
            throw std::logic_error("LibTorch's " + name + " is of a type that has no view");
    }
}

}  // namespace

torch::ScalarType scalar_type(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return torch::kFloat32;
        case DType::float64:
            return torch::kFloat64;
        case DType::int64:
            break;
    }
    return torch::kInt64;
}

View view(const std::string& name, const torch::Tensor& tensor) {
    const DType dtype = dtype_of(name, tensor);
    if (!tensor.is_contiguous()) {
        throw std::logic_error("LibTorch's " + name + " does not lie in rows");
    }
    return {name, Shape(tensor.sizes().begin(), tensor.sizes().end()), dtype, tensor.data_ptr()};
}

torch::Tensor copy_of(const View& view) {
    const torch::ScalarType type = view.dtype == DType::int64 ? torch::kInt64 : torch::kFloat64;
    return over(view.data, view.shape, view.dtype).to(type, /*non_blocking=*/false, /*copy=*/true);
}

torch::Tensor tensor(const Tensors<float>& from, const TensorSpec& spec, DType dtype) {
    return over(from[spec.name].data(), spec.shape, DType::float32)
        .to(scalar_type(dtype), /*non_blocking=*/false, /*copy=*/true);
}

void load(const torch::Tensor& to, bool transposed, const Tensors<float>& from, const TensorSpec& spec) {
    const torch::NoGradGuard no_grad;
    const torch::Tensor source = over(from[spec.name].data(), spec.shape, DType::float32);
    to.copy_(transposed ? source.t() : source);
}

void save(Tensors<float>& to, const TensorSpec& spec, const torch::Tensor& from, bool transposed) {
    const torch::NoGradGuard no_grad;
    over(to[spec.name].data(), spec.shape, DType::float32).copy_(transposed ? from.t() : from);
}

torch::Tensor contexts(const Batch& batch, std::size_t context) {
    return over(batch.X, {batch.rows, context}, DType::int64);
}

torch::Tensor contexts(std::span<const std::int64_t> X, std::size_t context) {
    return over(X.data(), {X.size() / context, context}, DType::int64);
}

torch::Tensor targets(const Batch& batch) {
    return over(batch.Y, {batch.rows}, DType::int64);
}

torch::Tensor logits(std::span<float> out, std::size_t rows, std::size_t vocabulary) {
    return over(out.data(), {rows, vocabulary}, DType::float32);
}

}  // namespace byhand::torch_ref
