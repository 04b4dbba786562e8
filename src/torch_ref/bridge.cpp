#include "torch_ref/bridge.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "base/value.h"

namespace byhand::torch_ref {
namespace {

std::vector<std::int64_t> sizes(const Shape& shape) {
    return {shape.begin(), shape.end()};
}

// from_blob takes no pointer to const.
at::Tensor over(const void* data, const Shape& shape, DType dtype) {
    return at::from_blob(const_cast<void*>(data), sizes(shape), at::TensorOptions(scalar_type(dtype)));
}

DType dtype_of(const std::string& name, const at::Tensor& tensor) {
    switch (tensor.scalar_type()) {
        case at::kFloat:
            return DType::float32;
        case at::kDouble:
            return DType::float64;
        case at::kLong:
            return DType::int64;
        default:
            throw std::logic_error("LibTorch's " + name + " is of a type that has no view");
    }
}

}  // namespace

at::ScalarType scalar_type(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return at::kFloat;
        case DType::float64:
            return at::kDouble;
        default:
            return at::kLong;
    }
}

View view(const std::string& name, const at::Tensor& tensor) {
    const DType dtype = dtype_of(name, tensor);
    if (!tensor.is_contiguous()) {
        throw std::logic_error("LibTorch's " + name + " is not contiguous");
    }
    return {name, Shape(tensor.sizes().begin(), tensor.sizes().end()), dtype, tensor.data_ptr()};
}

at::Tensor copy_of(const View& view) {
    const at::ScalarType type = view.dtype == DType::int64 ? at::kLong : at::kDouble;
    return over(view.data, view.shape, view.dtype).to(type, /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor tensor(const Tensors<float>& from, const TensorSpec& spec, DType dtype) {
    return over(from[spec.name].data(), spec.shape, DType::float32)
        .to(scalar_type(dtype), /*non_blocking=*/false, /*copy=*/true);
}

void load(const at::Tensor& to, bool transposed, const Tensors<float>& from, const TensorSpec& spec) {
    const c10::NoGradGuard no_grad;
    const at::Tensor source = over(from[spec.name].data(), spec.shape, DType::float32);
    to.copy_(transposed ? source.t() : source);
}

void save(Tensors<float>& to, const TensorSpec& spec, const at::Tensor& from, bool transposed) {
    const c10::NoGradGuard no_grad;
    over(to[spec.name].data(), spec.shape, DType::float32).copy_(transposed ? from.t() : from);
}

at::Tensor contexts(const Batch& batch, std::size_t context) {
    return over(batch.X, {batch.rows, context}, DType::int64);
}

at::Tensor contexts(std::span<const std::int64_t> X, std::size_t context) {
    return over(X.data(), {X.size() / context, context}, DType::int64);
}

at::Tensor targets(const Batch& batch) {
    return over(batch.Y, {batch.rows}, DType::int64);
}

at::Tensor logits(std::span<float> out, std::size_t rows, std::size_t vocabulary) {
    return over(out.data(), {rows, vocabulary}, DType::float32);
}

at::Tensor keep(Record* record, const std::string& name, at::Tensor value) {
    if (record != nullptr) {
        if (value.requires_grad()) {  // a dropout's mask has none
            value.retain_grad();
        }
        record->push_back({name, value});
    }
    return value;
}

std::vector<Named> gradients(const std::vector<std::string>& order, const Record& values) {
    std::map<std::string, at::Tensor> gradients;
    for (const Named& named : values) {
        if (named.name == "loss" || !named.tensor.requires_grad()) {
            continue;
        }
        if (!named.tensor.grad().defined()) {
            throw std::logic_error("LibTorch has no gradient of " + named.name);
        }
        gradients[named.name] = named.tensor.grad().contiguous();
    }
    std::vector<Named> ordered;
    for (const std::string& name : order) {
        if (const auto found = gradients.find(name); found != gradients.end()) {
            ordered.push_back({gradient_of(name), found->second});
            gradients.erase(found);
        }
    }
    if (!gradients.empty()) {
        throw std::logic_error("the backward order does not know " + gradients.begin()->first);
    }
    return ordered;
}

}  // namespace byhand::torch_ref
