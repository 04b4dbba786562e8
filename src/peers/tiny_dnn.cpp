// tiny-dnn's own network: fully connected layers with an activation, trained by plain gradient descent. It has no
// embedding: its inputs are looked up here, and the gradient of its first layer's input is added to the rows of C. (A
// one-hot input would be V times as wide, and its product dense.)
#include <tiny_dnn/tiny_dnn.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "peers/peers.h"

namespace byhand::peers {
namespace {

using tiny_dnn::serial_size_t;
using tiny_dnn::tensor_t;
namespace activation = tiny_dnn::activation;

template <class Activation>
std::shared_ptr<tiny_dnn::layer> fully_connected(const Layer& layer) {
    return std::make_shared<tiny_dnn::fully_connected_layer<Activation>>(
        static_cast<serial_size_t>(layer.inputs), static_cast<serial_size_t>(layer.outputs), layer.has_bias);
}

[[noreturn]] void refuse(const std::string& why) {
    throw InputError(why);
}

// The layer of a linear and the operation after it.
std::shared_ptr<tiny_dnn::layer> made(const Layer& layer, const std::string& next) {
    if (next == op::kCrossEntropy) {
        return fully_connected<activation::softmax>(layer);
    }
    if (next == op::kTanh) {
        return fully_connected<activation::tan_h>(layer);
    }
    if (next == op::kSigmoid) {
        return fully_connected<activation::sigmoid>(layer);
    }
    if (next == op::kRelu) {
        return fully_connected<activation::relu>(layer);
    }
    if (next == op::kLinear) {
        return fully_connected<activation::identity>(layer);
    }
    refuse(next == op::kBatchnorm ? "its batch norm has neither γ nor β, and other divisors"
                                  : "its module has no " + next);
}

class TinyModel final : public Model {
public:
    TinyModel(const NetworkConfig& config, std::size_t rows)
        : config_(config),
          width_(config.context * config.embedding),
          state_(byhand::state(config)),
          inputs_(rows, tensor_t(1, tiny_dnn::vec_t(width_))),
          targets_(rows, tensor_t(1, tiny_dnn::vec_t(config.vocabulary))) {
        if (!is_plain(config.optimizer)) {
            refuse("its module has plain gradient descent only");
        }
        const std::vector<Operation> all = operations(config);
        for (std::size_t i = 0; i + 1 < all.size(); ++i) {
            const Operation& operation = all[i];
            if (operation.op == op::kFlatten && operation.joined != config.context) {
                refuse("its module joins all positions only");
            }
            if (operation.op != op::kLinear) {
                continue;
            }
            if (operation.layer.is_tied) {
                refuse("its module has no tied weights");
            }
            layers_.push_back(operation.layer);
            network_.add(made(operation.layer, all[i + 1].op));
            // After an activation begins the next layer.
            const std::size_t after = all[i + 1].op == op::kLinear ? i + 1 : i + 2;
            if (after < all.size() && all[after].op != op::kLinear) {
                refuse("its module has no " + all[after].op + " after an activation");
            }
        }
        network_.setup(/*reset_weight=*/true);
    }

    void load(const Tensors<float>& state) override {
        copy_into(state_, state);
        for_each_parameter(network_, [&](const std::string& name, tiny_dnn::vec_t& values) {
            std::ranges::copy(state_[name], values.begin());
        });
    }

    Tensors<float> save() const override {
        Tensors<float> state = state_;
        for_each_parameter(network_, [&](const std::string& name, const tiny_dnn::vec_t& values) {
            std::ranges::copy(values, state[name].begin());
        });
        return state;
    }

    float train_step(const Batch& batch, float rate) override {
        const std::span<float> C = state_["C"];
        for (std::size_t i = 0; i < batch.rows; ++i) {
            for_each_position(batch, i, [&](std::size_t at, std::size_t row) {
                std::copy_n(C.begin() + static_cast<std::ptrdiff_t>(row), config_.embedding,
                            inputs_[i][0].begin() + static_cast<std::ptrdiff_t>(at));
            });
            std::ranges::fill(targets_[i][0], 0.0F);
            targets_[i][0][static_cast<std::size_t>(batch.Y[i])] = 1;
        }
        const std::vector<tensor_t> probs = network_.forward(inputs_);
        float loss = 0;
        for (std::size_t i = 0; i < batch.rows; ++i) {
            loss -= std::log(probs[i][0][static_cast<std::size_t>(batch.Y[i])]);
        }
        network_.backward(tiny_dnn::gradient<tiny_dnn::cross_entropy_multiclass>(probs, targets_, {}));
        const auto rows = static_cast<float>(batch.rows);
        const tensor_t& dembcat = *network_[0]->inputs()[0]->get_gradient();  // of the rows' sum
        for (std::size_t i = 0; i < batch.rows; ++i) {
            for_each_position(batch, i, [&](std::size_t at, std::size_t row) {
                for (std::size_t e = 0; e < config_.embedding; ++e) {
                    C[row + e] -= rate / rows * dembcat[i][at + e];
                }
            });
        }
        tiny_dnn::gradient_descent descent;
        descent.alpha = rate;
        network_.update_weights(&descent, static_cast<int>(batch.rows));  // divides by the rows
        return loss / rows;
    }

    void logits(std::span<float>, std::span<const std::int64_t>) override {
        throw std::logic_error("tiny-dnn's network only trains");
    }
    void calibrate(std::span<const std::int64_t>) override {}  // it has no norm

private:
    // use(position in embcat, that of the character's row in C) for each character of a row of the batch.
    template <class Use>
    void for_each_position(const Batch& batch, std::size_t i, const Use& use) const {
        for (std::size_t t = 0; t < config_.context; ++t) {
            use(t * config_.embedding, static_cast<std::size_t>(batch.X[i * config_.context + t]) * config_.embedding);
        }
    }

    // use(name, values) for each W and b, which are stored as here: W is (in, out).
    template <class Network, class Use>
    void for_each_parameter(Network& network, const Use& use) const {
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const auto values = network[l]->weights();
            use(layers_[l].W(), *values[0]);
            if (layers_[l].has_bias) {
                use(layers_[l].b(), *values[1]);
            }
        }
    }

    NetworkConfig config_;
    std::size_t width_;
    Tensors<float> state_;  // of which C is current
    std::vector<Layer> layers_;
    tiny_dnn::sequential network_;
    std::vector<tensor_t> inputs_, targets_;
};

}  // namespace
}  // namespace byhand::peers

extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all) {
    using namespace byhand;
    all.push_back({"tiny-dnn", {}, {}, [](const NetworkConfig& network, std::size_t rows) -> std::unique_ptr<Model> {
                       return std::make_unique<peers::TinyModel>(network, rows);
                   }});
}
