#include "torch_ref/stepwise.h"

#include <ATen/ops/scalar_tensor.h>
#include <c10/core/GradMode.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "torch_ref/bridge.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

class Stepwise final : public Model {
public:
    Stepwise(const NetworkConfig& config, std::size_t rows, DType dtype, const TorchOperations& known)
        : config_(config),
          rows_(rows),
          dtype_(dtype),
          forward_(forward_steps(config, rows, known)),
          order_(backward_order(forward_)),
          later_(later_steps(config, rows, known)) {}

    void load(const Tensors<float>& from) override {
        state_.clear();
        for (const TensorSpec& spec : state(config_)) {
            state_[spec.name] = tensor(from, spec, dtype_);
        }
    }

    void run(const Batch& batch, float rate) override {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's stepwise implementation was made for batches of another size");
        }
        for (const TensorSpec& spec : parameters(config_)) {  // as leaves without a gradient
            Tensor& parameter = state_.at(spec.name);
            parameter = parameter.detach().requires_grad_();
        }
        shown_.clear();
        for (const TensorSpec& spec : state(config_)) {
            shown_.push_back({spec.name, state_.at(spec.name)});
        }
        Values values = state_;
        values["X"] = contexts(batch, config_.context);
        values["Y"] = targets(batch);
        values["rate"] = at::scalar_tensor(rate, scalar_type(dtype_));
        for (const TorchStep& step : forward_) {
            values[step.makes] = keep(&shown_, step.makes, result_of(step, values));
        }
        values.at("loss").backward();

        const c10::NoGradGuard no_grad;
        for (Named& gradient : gradients(order_, shown_)) {
            values[gradient.name] = gradient.tensor;
            shown_.push_back(std::move(gradient));
        }
        for (const TorchStep& step : later_) {
            values[step.makes] = result_of(step, values);
            shown_.push_back({step.makes, values.at(step.makes)});
        }
    }

    std::vector<View> views() const override {
        std::vector<View> all;
        for (const Named& named : shown_) {
            all.push_back(view(named.name, named.tensor));
        }
        return all;
    }

private:
    NetworkConfig config_;
    std::size_t rows_;
    DType dtype_;
    TorchSteps forward_;
    std::vector<std::string> order_;
    TorchSteps later_;
    Values state_;
    Record shown_;
};

}  // namespace

std::unique_ptr<Model> stepwise(const NetworkConfig& config, std::size_t rows, DType dtype,
                                const TorchOperations& known) {
    check_network(config, rows);
    return std::make_unique<Stepwise>(config, rows, dtype, known);
}

}  // namespace byhand::torch_ref
