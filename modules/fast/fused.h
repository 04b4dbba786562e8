// A whole training step, optimised for speed: the mathematics of the collapsed network; it keeps only what the backward
// pass needs and allocates nothing after construction. All matrices but the embedding are stored in panels
// (panels.h), which are also the units of work of the threads: the results do not depend on the number of
// threads.
//
// If a network joins parts of the positions, a layer has a row for each of its positions of each row of the batch, and
// the layer above reads the same memory as fewer, longer rows (joined_panels): nothing is copied.
//
// Many rows have the same character at the same position, and the first linear depends on nothing else. With W_t, the
// rows of W for the character at position t,
//
//   embcat·W = Σ_t (C·W_t)[X[·, t]]      dy_t[v] = Σ dy[i] over i with X[i, t] = v
//   dW_t = Cᵀ·dy_t                        dC = Σ_t dy_t·W_tᵀ
//
// where each product has one row per character instead of one per row of the linear. This is used if there are at least
// four rows per character; embcat and its gradient are then not computed.
//
// A value that residual connections add receives a gradient from each of them: they accumulate in an array (`others`),
// which is added to the gradient of the value as soon as the backward pass reaches it.
//
// A linear with the embedding's weights multiplies by a copy of Cᵀ in panels, and its transposed dW is added to dC.
//
// The rows of a batch may be in parts, and the parts on several ranks (base/parts.h). A step works on all rows of
// its rank together; only the sums over rows are those of the parts' shares. A rank that has not all rows exchanges a
// sum before the pass that reads it: a batch norm's mean with its variance, its dγ with its dβ, and at the end the loss
// with all other gradients. Those of a large layer travel in a message of their own, while the layers below are
// computed. A rank that has all rows continues within the same pass.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "base/parts.h"
#include "base/tensors.h"
#include "fast/fused_tensors.h"
#include "fast/panels.h"
#include "fast/pool.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "fast/simd/product.h"

namespace byhand {

class Fused {
public:
    // The rows of each batch in `parts` parts, shared out to the ranks of `group`; null is this process alone.
    // `products` computes the matrix products. Both must outlive it. Throws InputError where check_network does.
    // Preconditions: has_fused_step(config), threads > 0, 0 < parts ≤ rows.
    Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads = 1, std::size_t parts = 1,
          Group* group = nullptr, const simd::Products& products = simd::products());
    Fused(const Fused&) = delete;
    Fused& operator=(const Fused&) = delete;

    // A table equal to state(config). Everything else is unwritten until the next run.
    void load(const Tensors<float>& state);
    Tensors<float> state() const;

    // Forward, loss and backward for the whole batch, of which each rank reads its rows; the updated state is stored
    // beside the current one. Returns the batch's loss. Precondition: as many rows as the network's.
    float run(const Batch& whole, float rate);

    // Makes the updated state the current one.
    void commit() { now_ = 1 - now_; }

    // The values of the last run, by the names of the stepwise network: the initial state, values, gradients, new_X. Of
    // the gradients of shape (rows, width) only those of linear results are kept; the others are overwritten.
    // Of those with rows, the rows of this rank. Precondition: Keep::all.
    Tensors<float> kept() const;

    // How often sums are exchanged in a step by several ranks.
    std::size_t messages() const { return messages_.size(); }

private:
    // A sum over the rows of the batch, and its place in a message if there are several ranks. `value` is null if the
    // sum is read only where it is computed, in scratch.
    struct RowSum {
        float* value = nullptr;
        SharedSums* shared = nullptr;
        std::size_t from = 0;
        std::size_t scratch = 0;  // offset of its shares there, for sums that are added together
    };
    // An operation of a layer with its arrays; null if unused.
    struct FusedStep {
        const FusedOperation* what = nullptr;
        // A batch norm; on several ranks it is two steps, between which its moments are exchanged.
        bool takes_moments = true, normalises = true;
        float *x = nullptr, *y = nullptr;
        // Of a norm. A norm of rows has no sums for `mean` and `var`, only their values; a batch norm without γ and β
        // has `dgain` = Σdy·x̂ and `dbias` = Σdy as well.
        float *inv = nullptr, *raw = nullptr;
        RowSum mean, var, dgain, dbias;
        std::array<simd::ParameterState, 2> gain, bias;  // for each of the two states
        std::array<float*, 2> running_mean{}, running_spread{};
        float* derivative = nullptr;  // activation that stores it
        float* mask = nullptr;        // dropout
        std::array<float*, 2> key{};
        // Residual: the earlier value, the array that accumulates its gradient, and whether this is its first term.
        const float* added = nullptr;
        float* to_added = nullptr;
        bool is_first_term = false;
        float* others = nullptr;  // the sum of the residuals' contributions to the gradient of y
    };
    // Operations from `first` to before `last` that run in sequence over the same part of the layer: rows of all panels
    // if one of them is a norm of rows, else one panel, with all of its rows if an operation needs whole columns. Then
    // the sums of `message`, if any, are exchanged.
    struct Pass {
        std::size_t first = 0, last = 0;
        bool is_by_rows = false, wants_columns = false;
        SharedSums* message = nullptr;
    };
    struct FusedLayer {
        FusedPattern pattern;
        std::size_t rows = 0;            // of the rank, times the positions
        float* dy_by_columns = nullptr;  // of the linear's result; null if dx = dy·Wᵀ transposes W instead
        std::vector<Panel> in, out;      // of the layer's input, and of its results
        std::array<simd::ParameterState, 2> W, b;
        std::vector<FusedStep> steps;         // the linear first
        std::vector<Pass> forward, backward;  // the first of each is by panel; it may be empty in `backward`
        // Gradients. dy holds that of the layer's result, then in place that of its linear's.
        float* dy = nullptr;
        RowSum dW, db;
        SharedSums* own_message = nullptr;  // of dW and db

        const float* result() const { return steps.back().y; }
    };
    // A part of a layer's work: some rows of one panel of its results.
    struct PanelRows {
        const Panel& panel;
        RowRange rows;
    };
    // Its elements in a matrix.
    struct ElementRange {
        std::size_t from, count;
    };

    // Working memory of the first linear when computed by character, in panels.
    struct ByCharacter {
        std::vector<Panel> columns;                 // of the embedding
        AlignedVector<float> C;                     // (V, E)
        AlignedVector<float> dy, dC;                // dy_t[v] and dy_t·W_tᵀ, (T, V) rows
        RowSum sums;                                // dy_t[v]
        std::vector<AlignedVector<float>> scratch;  // one per thread, (T, V) rows of one panel: C·W_t; sums
    };

    void add_layer(const FusedPattern& pattern);
    void add_gradients_by_columns();
    void add_sums();
    void add_sums(FusedLayer& l);
    void add_sums(const FusedLayer& l, FusedStep& step);
    RowSum row_sum(float* value, std::size_t count, SharedSums& message) const;
    float* more(std::size_t count);
    FusedStep step_of(const FusedOperation& one);
    void connect_residuals();
    simd::ParameterState learned(std::size_t state, const std::string& parameter);
    std::vector<Pass> passes_forward(const FusedLayer& l) const;
    std::vector<Pass> passes_backward(const FusedLayer& l) const;
    bool wants_columns(const FusedLayer& l, std::size_t step) const;

    void forward(const Batch& batch);
    void forward(const FusedLayer& l, const Pass& pass, const Panels& x, const Batch& batch);
    void forward(const FusedLayer& l, const FusedStep& step, const Panels& x, const Batch& batch, const PanelRows& part,
                 std::size_t thread);
    void linear_forward(const FusedLayer& l, const Panels& x, const Batch& batch, const PanelRows& part,
                        std::size_t thread);
    void batch_norm_forward(const FusedLayer& l, const FusedStep& step, const PanelRows& part, std::size_t thread);
    void add_moments(const FusedLayer& l, const FusedStep& step, const Panel& p, std::size_t thread);
    Moments moments_of(const FusedLayer& l, const FusedStep& step) const;
    void dropout_mask(const FusedLayer& l, const FusedStep& step, const PanelRows& part) const;
    void embedding_to_panels();
    void transpose_embedding();
    void linear_by_character(const Batch& batch, const Panel& p, std::size_t thread);
    void loss(const Batch& batch);

    void backward(const Batch& batch);
    void backward_of_linear(const FusedLayer& l, const float* x, float* dx, const FusedLayer* below,
                            const Batch& batch);
    void parameters_backward(const FusedLayer& l, const float* x, const Panel& q, const Panel& p, std::size_t thread);
    void weight_backward(const FusedLayer& l, const float* x, const Panel& q, const Panel& p, std::size_t thread);
    void bias_backward(const FusedLayer& l, const Panel& p, std::size_t thread);
    void input_backward(const FusedLayer& l, float* dx, std::size_t panel, const RowRange& rows, std::size_t thread);
    void backward_from_result(const FusedLayer& l, const Batch& batch, const PanelRows& part, std::size_t thread);
    void other_passes_backward(const FusedLayer& l, const Batch& batch);
    void backward(const FusedLayer& l, const Pass& pass, const Batch& batch, const PanelRows& part, std::size_t thread);
    void backward(const FusedLayer& l, const FusedStep& step, const Batch& batch, const PanelRows& part,
                  std::size_t thread);
    static void add_others(const FusedLayer& l, const FusedStep& step, const PanelRows& part);
    void batch_norm_backward(const FusedLayer& l, const FusedStep& step, const PanelRows& part, std::size_t thread);
    void sums_of_norm(const FusedLayer& l, const FusedStep& step, const Panel& p, std::size_t thread);
    void sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread);
    void embedding_backward(const Batch& batch);
    void backward_by_character();
    simd::NormPanel norm_of(const FusedLayer& l, const FusedStep& step, const Panel& p) const;
    simd::RowNorm row_norm_of(const FusedLayer& l, const FusedStep& step) const;

    void begin_update(float rate);
    void update();
    void update(const FusedLayer& l, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                std::size_t thread);
    void update_vectors(const FusedLayer& l, const Panel& p) const;
    void update_embedding();
    void learn(const std::array<simd::ParameterState, 2>& parameter, std::size_t from, const float* gradient,
               std::size_t count) const;

    bool goes_by_character(const FusedLayer& l) const { return by_character_ && &l == layers_.data(); }
    simd::Contexts contexts(const Batch& batch) const;
    RowRange rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const;
    std::size_t chunks() const;
    std::size_t chunks(const Pass& pass) const { return pass.wants_columns ? 1 : chunks(); }
    PanelRows rows_of_task(const FusedLayer& l, const Pass& pass, std::size_t task) const;
    static ElementRange elements_of(const FusedLayer& l, const PanelRows& part);

    // `count` numbers of one or several sums from `at` on: calls share(to, rows), with an array of several `to`, for
    // the rows of each part, times the positions, and adds the shares as far as this rank has them.
    template <class Share>
    void add_parts(const RowSum& sum, std::size_t at, std::size_t count, std::size_t positions, std::size_t thread,
                   Share share) {
        add_parts({&sum}, at, count, positions, thread,
                  [&](const std::array<float*, 1>& to, const RowRange& rows) { share(to[0], rows); });
    }
    template <std::size_t kSums, class Share>
    void add_parts(const RowSum* const (&sums)[kSums], std::size_t at, std::size_t count, std::size_t positions,
                   std::size_t thread, Share share);
    float* slot(const RowSum& sum, std::size_t at, std::size_t slot, std::size_t thread);
    void send(SharedSums* message);
    void finish_messages();
    bool has_all_rows() const { return group_ == nullptr; }

    NetworkConfig config_;
    Group* group_;  // null for one rank
    const simd::Products& products_;
    PartSums parts_;
    BatchPart own_;                         // the rows of this rank
    std::array<Tensors<float>, 2> states_;  // in panels, but for C
    std::size_t now_ = 0;
    Tensors<float> values_;          // in panels, but for dC
    std::vector<TensorSpec> names_;  // of values_, with their shapes outside
    std::vector<FusedLayer> layers_;
    std::array<simd::ParameterState, 2> C_;  // for each of the two states
    std::array<float*, 2> step_count_{};
    simd::OptimizerStep optimizer_;
    float *embcat_ = nullptr, *loss_ = nullptr, *dembcat_ = nullptr, *dC_ = nullptr;
    std::vector<Stretch> stretches_;  // of a row of embcat
    std::optional<ByCharacter> by_character_;
    std::vector<AlignedVector<float>> more_;  // arrays that are not among the values
    AlignedVector<float> tied_W_, tied_dW_;   // tied linear: Cᵀ, and its gradient
    AlignedVector<float> losses_;             // one per row
    std::deque<SharedSums> messages_;         // that of the loss and the gradients first
    RowSum loss_sum_, dC_sum_;
    // dy of two successive layers by columns: blocks of up to kWidestPanel rows, each (out, rows).
    std::array<AlignedVector<float>, 2> dy_by_columns_;
    // Scratch of each thread: Wᵀ, or dxᵀ for some rows, of one panel of the input; the slots of shares that are added
    // at once, `together_` numbers each.
    std::vector<AlignedVector<float>> transposed_, shares_;
    std::size_t together_ = 0;
    Pool pool_;
};

template <std::size_t kSums, class Share>
void Fused::add_parts(const RowSum* const (&sums)[kSums], std::size_t at, std::size_t count, std::size_t positions,
                      std::size_t thread, Share share) {
    const auto slots = [&](std::size_t number) {
        std::array<float*, kSums> of{};
        std::ranges::transform(sums, of.begin(), [&](const RowSum* sum) { return slot(*sum, at, number, thread); });
        return of;
    };
    for (const OwnPart& part : parts_.own) {
        const std::size_t first = (part.rows.first - own_.first) * positions;
        share(slots(part.slot), RowRange{first, first + part.rows.rows * positions});
        for (const Addition& addition : part.additions) {
            const std::array<float*, kSums> to = slots(addition.to), from = slots(addition.from);
            for (std::size_t k = 0; k < kSums; ++k) {
                simd::add(to[k], to[k], from[k], count);
            }
        }
    }
}

}  // namespace byhand
