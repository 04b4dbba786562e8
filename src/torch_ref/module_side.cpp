#include "torch_ref/module_side.h"

#include <torch/torch.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "torch_ref/bridge.h"
#include "torch_ref/module.h"
#include "torch_ref/record.h"

namespace byhand::torch_ref {
namespace {

class ModuleSide final : public Side {
public:
    ModuleSide(const NetworkConfig& config, std::size_t rows)
        : config_(config), rows_(rows), network_(config), before_(state(config)), after_(state(config)) {}

    void load(const Tensors<float>& from) override { copy_into(before_, from); }

    void run(const Batch& batch, float rate) override {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's module was made for batches of another size");
        }
        network_->load(before_);
        network_->train();
        network_->zero_grad(/*set_to_none=*/true);
        torch::optim::SGD sgd(network_->parameters(), torch::optim::SGDOptions(static_cast<double>(rate)));

        Record record;
        const torch::Tensor logits = network_->forward(contexts(batch, config_.context), &record);
        const torch::Tensor loss = record.keep("loss", torch::nn::functional::cross_entropy(logits, targets(batch)));
        loss.backward();

        made_ = record.values();
        for (Named& gradient : module_gradients(record)) {
            made_.push_back(std::move(gradient));
        }
        sgd.step();
        network_->save(after_);
    }

    std::vector<View> views() const override {
        if (made_.empty()) {
            return {};
        }
        std::vector<View> all = before_.views();
        for (const Named& named : made_) {
            all.push_back(view(named.name, named.tensor));
        }
        for (View& view : after_.views()) {
            view.name = "new_" + view.name;
            all.push_back(std::move(view));
        }
        return all;
    }

private:
    // Before the update. Those of weights lie (in, out), as the weights do.
    std::vector<Named> module_gradients(const Record& record) const {
        std::vector<Named> parameters;
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            if (slot.tensor.requires_grad()) {
                parameters.push_back({slot.spec.name, slot.tensor});
            }
        }
        std::vector<Named> all = gradients(config_, record.values(), parameters);
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            for (Named& gradient : all) {
                if (slot.transposed && gradient.name == "d" + slot.spec.name) {
                    gradient.tensor = gradient.tensor.t().contiguous();
                }
            }
        }
        return all;
    }

    NetworkConfig config_;
    std::size_t rows_;
    Network network_;
    Tensors<float> before_;
    Tensors<float> after_;
    std::vector<Named> made_;  // forward values, then gradients
};

}  // namespace

std::unique_ptr<Side> module_side(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<ModuleSide>(config, rows);
}

}  // namespace byhand::torch_ref
