// A whole training step to train fast: the mathematics of the collapsed network, with nothing kept that the backward
// pass does not need and nothing allocated after construction. All matrices but the embedding lie in panels
// (manual/panels.h), which are also the parts that the threads share out: what they compute does not depend on how.
//
// Where a network joins positions by parts, a layer has a row for each of its positions of each row of the batch, and
// what the layer above reads is the same memory with so many rows to one (joined_panels): nothing is copied.
//
// Many rows have the same character at the same place, and the first linear reads nothing else. With W_t, the rows of W
// that read the character at place t,
//
//   embcat·W = Σ_t (C·W_t)[X[·, t]]      dy_t[v] = Σ dy[i] over i with X[i, t] = v
//   dW_t = Cᵀ·dy_t                        dC = Σ_t dy_t·W_tᵀ
//
// where every product has a row for each character in the place of one for each of the linear's. So it is done where
// there are at least four of these for each character; neither embcat nor its gradient is made then.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/tensors.h"
#include "manual/fused_tensors.h"
#include "manual/panels.h"
#include "manual/pool.h"
#include "manual/simd/by_character.h"
#include "manual/simd/norm.h"
#include "manual/simd/row_norm.h"

namespace byhand {

class Fused {
public:
    using Keep = FusedKeep;

    // Throws InputError where check_network does. Preconditions: has_fused_step (manual/fused_tensors.h), threads > 0.
    Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads = 1);
    Fused(const Fused&) = delete;
    Fused& operator=(const Fused&) = delete;

    // Parameters and running statistics: a table equal to state(config). All else is unwritten until the next run.
    void load(const Tensors<float>& state);
    Tensors<float> state() const;

    // Forward, loss and backward; the updated state is left beside the present one. Returns the batch's loss.
    // Precondition: as many rows as the network's.
    float run(const Batch& batch, float rate);

    // Puts the updated state in the place of the present one.
    void commit() { now_ = 1 - now_; }

    // What the last run kept, by the names of the stepwise network: the state it began with, values, gradients, new_X.
    // Gradients of (rows, width) are kept only where the linear's result is meant: the others are overwritten.
    // Precondition: Keep::all.
    Tensors<float> kept() const;

private:
    // One state's tensors of a layer; null where the layer has none.
    struct Weights {
        float *W = nullptr, *b = nullptr;
        float *gain = nullptr, *bias = nullptr;  // of the norm
        float *bnmean_running = nullptr, *bnvar_running = nullptr;
    };
    struct FusedLayer {
        FusedPattern pattern;
        std::size_t rows = 0;        // B·positions
        std::vector<Panel> in, out;  // of what the layer reads, and of what it makes
        std::array<Weights, 2> state{};
        // Values, as in FusedPattern; null where there is none. Where two are the same thing they are the same array,
        // as are `linear` and `raw` where only the second is needed.
        float *linear = nullptr, *activated = nullptr, *raw = nullptr, *read = nullptr, *result = nullptr;
        float *mean = nullptr, *var = nullptr, *inv = nullptr;  // of the norm
        // Gradients. dy begins as that of `result` and becomes that of `linear`, in place; dW is null where it is not
        // kept.
        float *dy = nullptr, *dW = nullptr, *db = nullptr;
        float *dgain = nullptr, *dbias = nullptr;
    };
    // A part of a layer's work: some rows of one panel of what it makes.
    struct Part {
        const Panel& panel;
        Rows rows;
    };
    // Its numbers in a matrix.
    struct Run {
        std::size_t from = 0, count = 0;
    };

    // What the first linear works with where it goes by character, in panels.
    struct ByCharacter {
        std::vector<Panel> columns;                 // of the embedding
        AlignedVector<float> C;                     // (V, E)
        AlignedVector<float> dy, dC;                // dy_t[v] and dy_t·W_tᵀ, (T, V) rows
        std::vector<AlignedVector<float>> scratch;  // of each thread, (T, V) rows of one panel: C·W_t; sums
    };

    void forward(const Batch& batch);
    void forward(const FusedLayer& l, const Panels& x, const Batch& batch, const Part& part, std::size_t thread);
    void embedding_to_panels();
    void linear_by_character(const Batch& batch, const Panel& p, std::size_t thread);
    void loss(const Batch& batch);
    void row_norm_forward(const FusedLayer& l, const Rows& rows) const;
    static void activation_forward(const FusedLayer& l, const Part& part);
    void backward(const Batch& batch, float rate);
    void backward_of_linear(const FusedLayer& l, const float* x, float* dx, const FusedLayer* below, const Batch& batch,
                            float rate);
    void backward(const FusedLayer& l, const Batch& batch, const Part& part, std::size_t thread);
    void backward_across_panels(const FusedLayer& l, const Batch& batch);
    static void activation_backward(const FusedLayer& l, const Part& part);
    void sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread);
    void backward_by_character(float rate);
    void input_backward(const FusedLayer& l, float* dx, std::size_t panel, const Rows& rows, std::size_t thread);
    simd::NormPanel norm_of(const FusedLayer& l, const Panel& p) const;
    simd::RowNorm row_norm_of(const FusedLayer& l) const;
    void update(const FusedLayer& l, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                float rate, std::size_t thread);
    void update_vectors(const FusedLayer& l, const Panel& p, float rate) const;
    void update_embedding(const Batch& batch, float rate) const;

    bool goes_by_character(const FusedLayer& l) const { return by_character_ && &l == layers_.data(); }
    simd::Contexts contexts(const Batch& batch) const;
    Rows rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const;
    std::size_t chunks() const;
    std::size_t chunks(const FusedLayer& l) const;
    Part part_of(const FusedLayer& l, std::size_t task) const;
    static Run run_of(const FusedLayer& l, const Part& part);
    static float* norm_result(const FusedLayer& l);

    NetworkConfig config_;
    std::size_t rows_;
    std::array<Tensors<float>, 2> states_;  // in panels, but for C
    std::size_t now_ = 0;
    Tensors<float> values_;          // in panels, but for dC
    std::vector<TensorSpec> names_;  // of values_, with the shapes that they have outside
    std::vector<FusedLayer> layers_;
    std::array<float*, 2> C_{};  // of either state
    float *embcat_ = nullptr, *loss_ = nullptr, *dembcat_ = nullptr, *dC_ = nullptr;
    std::vector<Stretch> stretches_;  // of a row of embcat
    std::optional<ByCharacter> by_character_;
    AlignedVector<float> losses_;  // of each row
    // Scratch of each thread: Wᵀ for one panel of the input, and dW where two panels meet.
    std::vector<AlignedVector<float>> transposed_, dW_;
    Pool pool_;
};

}  // namespace byhand
