#include "torch_ref/stepwise.h"

#include <ATen/ops/scalar_tensor.h>
#include <c10/core/GradMode.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "torch_ref/bridge.h"
#include "torch_ref/operations.h"

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
          update_(update_steps(config, rows, known)),
          evaluation_(evaluation_steps(config, rows, known)) {}

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
        const std::vector<Named> parameters = fresh_parameters();
        Values values(state_.begin(), state_.end());
        values["X"] = contexts(batch, config_.context);
        values["Y"] = targets(batch);
        values["rate"] = at::scalar_tensor(rate, scalar_type(dtype_));
        Record record;
        for (const TorchStep& step : forward_) {
            values[step.makes] = record.keep(step.makes, step.apply(read(step, values)));
        }
        values.at("loss").backward();

        const c10::NoGradGuard no_grad;
        shown_.clear();
        for (const TensorSpec& spec : state(config_)) {
            shown_.push_back({spec.name, state_.at(spec.name)});
        }
        for (const Named& value : record.values()) {
            shown_.push_back(value);
        }
        for (Named& gradient : gradients(order_, record.values(), parameters)) {
            values[gradient.name] = gradient.tensor;
            shown_.push_back(std::move(gradient));
        }
        for (const TorchSteps* list : {&update_, &evaluation_}) {
            for (const TorchStep& step : *list) {
                values[step.makes] = step.apply(read(step, values));
                shown_.push_back({step.makes, values.at(step.makes)});
            }
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
    using Values = std::map<std::string, Tensor>;

    static std::vector<Tensor> read(const TorchStep& step, const Values& values) {
        std::vector<Tensor> reads;
        for (const std::string& name : step.reads) {
            reads.push_back(values.at(name));
        }
        return reads;
    }

    // The parameters as leaves without a gradient.
    std::vector<Named> fresh_parameters() {
        std::vector<Named> all;
        for (const TensorSpec& spec : parameters(config_)) {
            Tensor& parameter = state_.at(spec.name);
            parameter = parameter.detach().requires_grad_();
            all.push_back({spec.name, parameter});
        }
        return all;
    }

    NetworkConfig config_;
    std::size_t rows_;
    DType dtype_;
    TorchSteps forward_;
    std::vector<std::string> order_;
    TorchSteps update_, evaluation_;
    Values state_;
    std::vector<Named> shown_;
};

}  // namespace

std::unique_ptr<Model> stepwise(const NetworkConfig& config, std::size_t rows, DType dtype,
                                const TorchOperations& known) {
    check_network(config, rows);
    return std::make_unique<Stepwise>(config, rows, dtype, known);
}

}  // namespace byhand::torch_ref
