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
//
// What a residual connection adds has a gradient from it too: the connections to one value collect theirs in an array
// (`others`), which joins the gradient of that value as soon as the backward pass arrives there.
//
// A linear whose weights are the embedding's multiplies by a copy of Cᵀ in panels, and its dW, transposed, goes into
// dC.
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
#include "manual/simd/optimizer.h"
#include "manual/simd/row_norm.h"

namespace byhand {

class Fused {
public:
    using Keep = FusedKeep;

    // Throws InputError where check_network does. Preconditions: has_fused_step(config), threads > 0.
    Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads = 1);
    Fused(const Fused&) = delete;
    Fused& operator=(const Fused&) = delete;

    // A table equal to state(config). All else is unwritten until the next run.
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
    // An operation of a layer with its arrays; null where it has none.
    struct FusedStep {
        FusedOperation what;
        float *x = nullptr, *y = nullptr;
        float *mean = nullptr, *var = nullptr, *inv = nullptr, *raw = nullptr;  // of a norm
        float *dgain = nullptr, *dbias = nullptr;
        std::array<simd::Learned, 2> gain, bias;  // of either state
        std::array<float*, 2> running_mean{}, running_spread{};
        float* mask = nullptr;  // of a dropout
        std::array<float*, 2> key{};
        // Of a residual: the earlier value, where its gradient is collected, and whether this is its first term.
        const float* added = nullptr;
        float* to_added = nullptr;
        bool is_first_term = false;
        float* others = nullptr;  // what residuals add to the gradient of y
    };
    // Operations from `first` to before `last` that go one after another over the same parts of the layer: rows of all
    // panels where a norm of rows is among them, else one panel, and of that all rows where the whole columns are
    // wanted.
    struct Pass {
        std::size_t first = 0, last = 0;
        bool is_by_rows = false, wants_columns = false;
    };
    struct FusedLayer {
        FusedPattern pattern;
        std::size_t rows = 0;        // B·positions
        std::vector<Panel> in, out;  // of what the layer reads, and of what it makes
        std::array<simd::Learned, 2> W, b;
        std::vector<FusedStep> steps;         // the linear first
        std::vector<Pass> forward, backward;  // the first of each is panel by panel, and may be empty backward
        // Gradients. dy begins as that of the layer's result and becomes that of its linear's, in place; dW is null
        // where it is not kept.
        float *dy = nullptr, *dW = nullptr, *db = nullptr;

        const float* result() const { return steps.back().y; }
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

    void add_layer(const FusedPattern& pattern);
    FusedStep step_of(const FusedOperation& one);
    void connect_residuals();
    FusedStep& maker_of(const std::string& value);
    simd::Learned learned(std::size_t state, const std::string& parameter);
    std::vector<Pass> passes_forward(const FusedLayer& l) const;
    std::vector<Pass> passes_backward(const FusedLayer& l) const;
    bool wants_columns(const FusedLayer& l, std::size_t step) const;

    void forward(const Batch& batch);
    void forward(const FusedLayer& l, const Pass& pass, const Panels& x, const Batch& batch);
    void forward(const FusedLayer& l, const FusedStep& step, const Panels& x, const Batch& batch, const Part& part,
                 std::size_t thread);
    void linear_forward(const FusedLayer& l, const Panels& x, const Batch& batch, const Part& part, std::size_t thread);
    void dropout_mask(const FusedLayer& l, const FusedStep& step, const Part& part) const;
    void embedding_to_panels();
    void transpose_embedding();
    void linear_by_character(const Batch& batch, const Panel& p, std::size_t thread);
    void loss(const Batch& batch);

    void backward(const Batch& batch);
    void backward_of_linear(const FusedLayer& l, const float* x, float* dx, const FusedLayer* below,
                            const Batch& batch);
    void input_backward(const FusedLayer& l, float* dx, std::size_t panel, const Rows& rows, std::size_t thread);
    void backward_from_result(const FusedLayer& l, const Batch& batch, const Part& part, std::size_t thread);
    void other_passes_backward(const FusedLayer& l, const Batch& batch);
    void backward(const FusedLayer& l, const Pass& pass, const Batch& batch, const Part& part, std::size_t thread);
    void backward(const FusedLayer& l, const FusedStep& step, const Batch& batch, const Part& part, std::size_t thread);
    static void add_others(const FusedLayer& l, const FusedStep& step, const Part& part);
    void sums_of_row_norm(const FusedLayer& l, const FusedStep& step);
    void sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread);
    void backward_by_character();
    simd::NormPanel norm_of(const FusedLayer& l, const FusedStep& step, const Panel& p) const;
    simd::RowNorm row_norm_of(const FusedLayer& l, const FusedStep& step) const;

    void begin_update(float rate);
    void update(const FusedLayer& l, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                std::size_t thread);
    void update_vectors(const FusedLayer& l, const Panel& p) const;
    void update_vectors(const FusedLayer& l, const FusedStep& step, const Panel& p) const;
    void update_embedding(const Batch& batch);
    void learn(const std::array<simd::Learned, 2>& parameter, std::size_t from, const float* gradient,
               std::size_t count) const;

    bool goes_by_character(const FusedLayer& l) const { return by_character_ && &l == layers_.data(); }
    simd::Contexts contexts(const Batch& batch) const;
    Rows rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const;
    std::size_t chunks() const;
    std::size_t chunks(const Pass& pass) const { return pass.wants_columns ? 1 : chunks(); }
    Part part_of(const FusedLayer& l, const Pass& pass, std::size_t task) const;
    static Run run_of(const FusedLayer& l, const Part& part);

    NetworkConfig config_;
    std::size_t rows_;
    std::array<Tensors<float>, 2> states_;  // in panels, but for C
    std::size_t now_ = 0;
    Tensors<float> values_;          // in panels, but for dC
    std::vector<TensorSpec> names_;  // of values_, with the shapes that they have outside
    std::vector<FusedLayer> layers_;
    std::array<simd::Learned, 2> C_;  // of either state
    std::array<float*, 2> step_count_{};
    simd::OptimizerStep optimizer_;
    float *embcat_ = nullptr, *loss_ = nullptr, *dembcat_ = nullptr, *dC_ = nullptr;
    std::vector<Stretch> stretches_;  // of a row of embcat
    std::optional<ByCharacter> by_character_;
    std::vector<AlignedVector<float>> others_;  // of values that residuals add
    AlignedVector<float> tied_W_, tied_dW_;     // of a tied linear: Cᵀ, and its gradient
    AlignedVector<float> losses_;               // of each row
    // Scratch of each thread: Wᵀ for one panel of the input, and dW where two panels meet.
    std::vector<AlignedVector<float>> transposed_, dW_;
    Pool pool_;
};

}  // namespace byhand
