#include "fast/models.h"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "compare/candidates.h"
#include "fast/fused.h"
#include "fast/fused_tensors.h"
#include "fast/pieces.h"
#include "manual/hand_model.h"
#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

class FusedModel final : public HandModel {
public:
    FusedModel(const NetworkConfig& config, std::size_t rows, const HandOptions& options)
        : HandModel(config, with_kernels),
          keep_(options.keep),
          fused_(config, rows, keep_, options.threads, options.division.parts, options.division.group,
                 options.products != nullptr ? *options.products : simd::products()) {}

    void load(const Tensors<float>& state) override {
        if (keep_ == Keep::all) {
            fused_.commit();  // alternates between the two states, as training does
        }
        fused_.load(state);
        keep_values();
    }
    Tensors<float> save() const override { return fused_.state(); }

    void run(const Batch& batch, float rate) override {
        loss_ = fused_.run(batch, rate);
        keep_values();
    }

    float train_step(const Batch& batch, float rate) override {
        run(batch, rate);
        fused_.commit();
        return loss_;
    }

    std::vector<View> views() const override { return kept_.views(); }

private:
    void keep_values() {
        if (keep_ == Keep::all) {
            kept_ = fused_.kept();
        }
    }

    Keep keep_;
    Fused fused_;
    float loss_ = 0;
    Tensors<float> kept_;
};

}  // namespace

std::unique_ptr<Trainable> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                           const HandOptions& options) {
    if (form != HandForm::fused) {
        return make_step_model(hand_graph(form, config, rows), options.keep, options.dtype);
    }
    if (options.dtype != DType::float32) {
        throw std::invalid_argument("the fused network computes in float only");
    }
    check_network(config, rows);
    if (!has_fused_step(config)) {
        return make_step_model(with_kernels(fused_graph(config, rows)), options.keep, DType::float32, with_kernels);
    }
    return std::make_unique<FusedModel>(config, rows, options);
}

std::size_t threads_that_pay(const NetworkConfig& config, std::size_t rows) {
    // Below a few million multiply-adds a step ends before the other threads have started.
    constexpr std::size_t kPays = 10'000'000;
    std::size_t products = 0;
    for (const Layer& layer : layers(config)) {
        products += 3 * rows * layer.positions * layer.inputs * layer.outputs;
    }
    return products < kPays ? 1 : std::max(1U, std::thread::hardware_concurrency());
}

std::unique_ptr<StepCandidate> fused_candidate(const Reference& reference) {
    const NetworkConfig& network = reference.network();
    const std::size_t rows = reference.rows();
    Isolation isolation = reference.isolation(HandForm::fused, fused_formulas);
    isolation.leeway = Leeway::order;
    isolation.judged_at_size = fused_pieces_on_all_targets;
    return std::make_unique<StepCandidate>(
        "fused", make_hand_model(HandForm::fused, network, rows, {.keep = Keep::all}), fused_pieces(network, rows),
        &reference.collapsed_chain, std::move(isolation));
}

}  // namespace byhand
