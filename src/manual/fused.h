// A whole training step over contiguous rows, to train fast: the mathematics of the collapsed network, with nothing
// kept that the backward pass does not need and nothing allocated after construction.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/tensors.h"

namespace byhand {

class Fused {
public:
    // Throws InputError where check_network does.
    Fused(const NetworkConfig& config, std::size_t rows);
    Fused(const Fused&) = delete;
    Fused& operator=(const Fused&) = delete;

    // Parameters and running figures: a table equal to state(config). All else is unwritten until the next run.
    void load(const Tensors<float>& state) {
        values_.clear();
        states_[1 - now_].clear();
        copy_into(states_[now_], state);
    }
    const Tensors<float>& state() const { return states_[now_]; }

    // Forward, loss and backward; the updated state is left beside the present one. Returns the batch's loss.
    // Precondition: as many rows as the network's.
    float run(const Batch& batch, float rate);

    // Puts the updated state in the place of the present one.
    void commit() { now_ = 1 - now_; }

    // What the last run kept, by the names of the stepwise network: the state it began with, values, gradients, new_X.
    // Gradients of (rows, width) are kept only where the linear's result is meant: the others are overwritten.
    std::vector<View> views() const;

private:
    // One state's tensors of a layer; null where the layer has none.
    struct Weights {
        float *W = nullptr, *b = nullptr;
        float *bngain = nullptr, *bnbias = nullptr;
        float *bnmean_running = nullptr, *bnvar_running = nullptr;
    };
    struct FusedLayer {
        Layer layer;
        std::array<Weights, 2> state{};
        // Values. `linear` is the linear's result, `tanh` the non-linearity's, `raw` the normalised value, `out` what
        // the layer hands on; where two are the same thing they are the same array.
        float *linear = nullptr, *tanh = nullptr, *raw = nullptr, *out = nullptr;
        float *bnmeani = nullptr, *bnvar = nullptr, *bnvar_inv = nullptr;
        // Gradients. dy begins as that of `out` and becomes that of `linear`, in place.
        float *dy = nullptr, *dW = nullptr, *db = nullptr;
        float *dbngain = nullptr, *dbnbias = nullptr;
    };

    void forward(const FusedLayer& l, const float* x) const;
    void norm_forward(const FusedLayer& l, const float* x, float* y) const;
    void backward(const FusedLayer& l, const float* x, float* dx);
    void norm_backward(const FusedLayer& l) const;
    void update(float rate);

    NetworkConfig config_;
    std::size_t rows_;
    std::array<Tensors<float>, 2> states_;
    std::size_t now_ = 0;
    Tensors<float> values_;
    std::vector<FusedLayer> layers_;
    std::array<float*, 2> C_{};  // of either state
    float *embcat_ = nullptr, *loss_ = nullptr, *dembcat_ = nullptr, *dC_ = nullptr;
    AlignedVector<float> transposed_;  // scratch, for one layer after the other: W, transposed
};

}  // namespace byhand
