// The network as a torch::nn module, of LibTorch's own layers wherever it has them.
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "torch_ref/bridge.h"
#include "torch_ref/norm.h"
#include "torch_ref/record.h"

namespace byhand::torch_ref {

// One linear and its norm, if any: BatchNorm1d where the conventions are its own, else Norm.
class BlockImpl : public torch::nn::Module {
public:
    BlockImpl(const Layer& layer, const NormConfig& norm);

    // (rows, H) → (rows, H).
    torch::Tensor normalise(const torch::Tensor& x);

    const Layer layer;
    torch::nn::Linear linear;
    // The norm's tensors, whichever it is; (H) each, undefined where the layer has none.
    torch::Tensor gain, bias, running_mean, running_spread;

private:
    torch::nn::BatchNorm1d batch_norm_1d_{nullptr};
    Norm norm_{nullptr};
};
TORCH_MODULE(Block);

class NetworkImpl : public torch::nn::Module {
public:
    explicit NetworkImpl(const NetworkConfig& config);

    // X (rows, T) → logits (rows, V). In `record`, where there is one, it keeps emb, embcat and of each layer hprebn
    // (with a norm), hpreact and h, and logits.
    torch::Tensor forward(const torch::Tensor& X, Record* record = nullptr);

    // The input (rows, H) of the norm of block `index`, which has one. X is (rows, T).
    torch::Tensor norm_input(const torch::Tensor& X, std::size_t index);

    const std::vector<Block>& blocks() const { return blocks_; }

    // The tensor behind a name of state(config). Linear has its weight as (out, in), hence the transposition.
    struct Slot {
        TensorSpec spec;
        torch::Tensor tensor;
        bool transposed = false;
    };
    // In the order of state(config).
    const std::vector<Slot>& slots() const { return slots_; }

    void load(const Tensors<float>& state) const;
    void save(Tensors<float>& state) const;

private:
    torch::Tensor embedded(const torch::Tensor& X, Record* record);
    std::vector<Slot> find_slots() const;

    NetworkConfig config_;
    torch::nn::Embedding C_;
    std::vector<Block> blocks_;
    std::vector<Slot> slots_;
};
TORCH_MODULE(Network);

}  // namespace byhand::torch_ref
