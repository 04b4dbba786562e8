#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/hash.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

void forward(TorchSteps& steps, const Site& site) {
    const double p = site.operation.p;
    const std::string key = site.value("maskkey"), mask = site.value("keepmask");
    add(steps, mask, site.wide(), {key}, [shape = site.wide(), p](TensorReads r) {
        return dropout_mask(r[0], shape, p);
    }).constant = true;
    add(steps, site.y(), site.wide(), {site.x(), mask}, [](TensorReads r) { return r[0] * r[1]; });
}

void evaluation(TorchSteps& steps, const Site& site) {
    add(steps, site.y(), site.wide(), {site.x()}, [](TensorReads r) { return r[0].clone(); });
}

void update(TorchSteps& steps, const Site& site) {
    const std::string key = site.value("maskkey");
    add(steps, update_of(key), {}, {key}, [](TensorReads r) { return next_dropout_key(r[0]); });
}

}  // namespace

at::Tensor dropout_mask(const at::Tensor& key, const Shape& shape, double p, std::size_t rows_before) {
    const auto seed = key.item<float>();
    std::uint32_t bits = 0;
    std::memcpy(&bits, &seed, sizeof(bits));
    const std::array<std::int64_t, 2> sizes = {static_cast<std::int64_t>(shape[0]),
                                               static_cast<std::int64_t>(shape[1])};
    const std::uint64_t stream = (std::uint64_t{bits} << 32) + rows_before * shape[1];
    at::Tensor uniform = at::empty(sizes, at::kDouble);
    for (std::int64_t i = 0; i < uniform.numel(); ++i) {
        const std::uint64_t number = mixed(stream + static_cast<std::uint64_t>(i));
        uniform.data_ptr<double>()[i] = std::ldexp(static_cast<double>(number >> 40), -24);
    }
    return uniform.ge(p).to(key.scalar_type()).div(1 - p);
}

at::Tensor next_dropout_key(const at::Tensor& key) {
    const std::int64_t whole = static_cast<std::int64_t>(std::floor(std::abs(key.item<double>()))) % kMaskKeys;
    return at::scalar_tensor((1140671485 * whole + 12820163) % kMaskKeys, key.options());
}

extern TorchOperation dropout_operation() {
    return {.op = op::kDropout, .forward = forward, .evaluation = evaluation, .update = update};
}

}  // namespace byhand::torch_ref
