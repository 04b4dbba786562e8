#include "manual/models.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "base/value.h"
#include "manual/evaluation.h"
#include "manual/fused.h"
#include "manual/fused_tensors.h"
#include "manual/parts.h"
#include "manual/pieces.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand {
namespace {

// ---- for comparison ----

template <class T>
class StepImplementation final : public Implementation {
public:
    explicit StepImplementation(Graph graph) : runner_(std::move(graph)) {}

    void load(const Tensors<float>& state) override {
        runner_.tensors().clear();
        copy_into(runner_.tensors(), state);
    }

    void run(const Batch& batch, float rate) override {
        runner_.set_batch(batch);
        runner_.set_rate(static_cast<T>(rate));
        runner_.forward();
        runner_.backward();
        runner_.update();
        runner_.evaluate();
    }

    std::vector<View> views() const override {
        std::vector<View> all = runner_.tensors().views();
        std::erase_if(all, [](const View& view) { return view.name == "rate"; });
        return all;
    }

private:
    Runner<T> runner_;
};

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

// ---- for training ----

// Shared by all handwritten models: evaluation.
class HandModel : public Model {
public:
    HandModel(const NetworkConfig& config, Evaluation::By by) : evaluation_(config, by) {}

    void logits(std::span<float> out, std::span<const std::int64_t> X) override {
        evaluation_.load(save());
        evaluation_.logits(out, X);
    }

    void calibrate(std::span<const std::int64_t> X) override {
        Tensors<float> state = save();
        evaluation_.load(state);
        evaluation_.calibrate(X);
        evaluation_.save_running_figures(state);
        load(state);
    }

private:
    Evaluation evaluation_;
};

// The state among the tensors of a network, and what an update makes of it.
class StateInPlace {
public:
    StateInPlace(Tensors<float>& tensors, const NetworkConfig& config) : table_(state(config)) {
        for (const TensorSpec& spec : table_) {
            changed_.push_back({tensors[spec.name], tensors[update_of(spec.name)]});
        }
    }

    Tensors<float> save() const {
        Tensors<float> saved(table_);
        for (std::size_t i = 0; i < table_.size(); ++i) {
            std::ranges::copy(changed_[i].old, saved[table_[i].name].begin());
        }
        return saved;
    }

    void commit() {
        for (const auto& [old, updated] : changed_) {
            std::ranges::copy(updated, old.begin());
        }
    }

private:
    struct Changed {
        std::span<float> old;
        std::span<const float> updated;
    };
    std::vector<TensorSpec> table_;
    std::vector<Changed> changed_;
};

class StepModel final : public HandModel {
public:
    explicit StepModel(Graph graph, Evaluation::By by = Evaluation::By::formulas)
        : HandModel(graph.config, by), runner_(std::move(graph)), state_(runner_.tensors(), runner_.graph().config) {}

    void load(const Tensors<float>& state) override { copy_into(runner_.tensors(), state); }
    Tensors<float> save() const override { return state_.save(); }

    float train_step(const Batch& batch, float rate) override {
        runner_.set_batch(batch);
        runner_.set_rate(rate);
        runner_.forward();
        runner_.backward();
        runner_.update();
        state_.commit();
        return runner_.tensors()["loss"][0];
    }

private:
    Runner<float> runner_;
    StateInPlace state_;
};

class ModelInParts final : public HandModel {
public:
    ModelInParts(const MakePart& make, const NetworkConfig& config, std::size_t rows, std::size_t parts, Group& group,
                 Evaluation::By by)
        : HandModel(config, by), runner_(make, rows, parts, group), state_(runner_.shared(), config) {}

    void load(const Tensors<float>& state) override { copy_into(runner_.shared(), state); }
    Tensors<float> save() const override { return state_.save(); }

    float train_step(const Batch& batch, float rate) override {
        runner_.run(batch, rate);
        state_.commit();
        return runner_.shared()["loss"][0];
    }

private:
    PartsRunner runner_;
    StateInPlace state_;
};

class FusedModel final : public HandModel {
public:
    FusedModel(const NetworkConfig& config, std::size_t rows, std::size_t threads, std::size_t parts = 1,
               Group* group = nullptr, const simd::Products& products = simd::products())
        : HandModel(config, Evaluation::By::kernels),
          fused_(config, rows, Fused::Keep::needed, threads, parts, group, products) {}

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

HandForm hand_form(const std::string& name) {
    if (name == "stepwise") {
        return HandForm::stepwise;
    }
    if (name == "collapsed") {
        return HandForm::collapsed;
    }
    if (name == "fused") {
        return HandForm::fused;
    }
    throw std::invalid_argument("no hand-written network is called " + name);
}

std::unique_ptr<Model> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                       std::size_t threads) {
    if (form != HandForm::fused) {
        return make_step_model(hand_graph(form, config, rows));
    }
    check_network(config, rows);
    if (!has_fused_step(config)) {
        return std::make_unique<StepModel>(with_kernels(fused_graph(config, rows)), Evaluation::By::kernels);
    }
    return std::make_unique<FusedModel>(config, rows, threads);
}

std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, const simd::Products& products) {
    return std::make_unique<FusedModel>(config, rows, 1, 1, nullptr, products);
}

std::unique_ptr<Model> make_model_in_parts(HandForm form, const NetworkConfig& config, std::size_t rows,
                                           std::size_t parts, Group& group, std::size_t threads) {
    const bool is_fused = form == HandForm::fused;
    if (is_fused && has_fused_step(config)) {
        return std::make_unique<FusedModel>(config, rows, threads, parts, &group);
    }
    const MakePart make = [=, &config](const BatchPart& part) {
        Graph graph = hand_graph(form, config, part);
        return is_fused ? with_kernels(std::move(graph), part) : graph;
    };
    return std::make_unique<ModelInParts>(make, config, rows, parts, group,
                                          is_fused ? Evaluation::By::kernels : Evaluation::By::formulas);
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

std::unique_ptr<Model> make_step_model(Graph graph) {
    return std::make_unique<StepModel>(std::move(graph));
}

std::unique_ptr<Implementation> make_hand_implementation(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                         DType dtype) {
    if (form == HandForm::fused) {
        if (dtype != DType::float32) {
            throw std::invalid_argument("the fused network computes in float only");
        }
        check_network(config, rows);
        if (!has_fused_step(config)) {
            return make_step_implementation(with_kernels(fused_graph(config, rows)));
        }
        return std::make_unique<FusedImplementation>(config, rows);
    }
    if (dtype == DType::float64) {
        return std::make_unique<StepImplementation<double>>(hand_graph(form, config, rows));
    }
    return std::make_unique<StepImplementation<float>>(hand_graph(form, config, rows));
}

std::unique_ptr<Implementation> make_step_implementation(Graph graph) {
    return std::make_unique<StepImplementation<float>>(std::move(graph));
}

}  // namespace byhand
