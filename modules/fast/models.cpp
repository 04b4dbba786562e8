#include "fast/models.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "fast/fused.h"
#include "fast/fused_tensors.h"
#include "fast/pieces.h"
#include "manual/hand_model.h"
#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

class FusedImplementation final : public Implementation {
public:
    FusedImplementation(const NetworkConfig& config, std::size_t rows) : fused_(config, rows, Fused::Keep::all) {}
    void load(const Tensors<float>& state) override {
        fused_.commit();  // alternates between the two states, as training does
        fused_.load(state);
        kept_ = fused_.kept();
    }
    void run(const Batch& batch, float rate) override {
        fused_.run(batch, rate);
        kept_ = fused_.kept();
    }
    std::vector<View> views() const override { return kept_.views(); }

private:
    Fused fused_;
    Tensors<float> kept_;
};

class FusedModel final : public HandModel {
public:
    FusedModel(const NetworkConfig& config, std::size_t rows, std::size_t threads, std::size_t parts = 1,
               Group* group = nullptr, const simd::Products& products = simd::products())
        : HandModel(config, with_kernels), fused_(config, rows, Fused::Keep::needed, threads, parts, group, products) {}

    void load(const Tensors<float>& state) override { fused_.load(state); }
    Tensors<float> save() const override { return fused_.state(); }

    float train_step(const Batch& batch, float rate) override {
        const float loss = fused_.run(batch, rate);
        fused_.commit();
        return loss;
    }

private:
    Fused fused_;
};

}  // namespace

std::unique_ptr<Model> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                       std::size_t threads) {
    if (form != HandForm::fused) {
        return make_step_model(hand_graph(form, config, rows));
    }
    check_network(config, rows);
    if (!has_fused_step(config)) {
        return make_step_model(with_kernels(fused_graph(config, rows)), with_kernels);
    }
    return std::make_unique<FusedModel>(config, rows, threads);
}

std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, const simd::Products& products) {
    return std::make_unique<FusedModel>(config, rows, 1, 1, nullptr, products);
}

std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, std::size_t parts, Group& group,
                                        std::size_t threads) {
    return std::make_unique<FusedModel>(config, rows, threads, parts, &group);
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

std::unique_ptr<Implementation> make_hand_implementation(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                         DType dtype) {
    if (form != HandForm::fused) {
        return make_step_implementation(hand_graph(form, config, rows), dtype);
    }
    if (dtype != DType::float32) {
        throw std::invalid_argument("the fused network computes in float only");
    }
    check_network(config, rows);
    if (!has_fused_step(config)) {
        return make_step_implementation(with_kernels(fused_graph(config, rows)));
    }
    return std::make_unique<FusedImplementation>(config, rows);
}

}  // namespace byhand
