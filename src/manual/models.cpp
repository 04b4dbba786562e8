#include "manual/models.h"

#include <stdexcept>
#include <utility>

#include "manual/hand_model.h"
#include "steps/runner.h"

namespace byhand {
namespace {

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

class StepModel final : public HandModel {
public:
    StepModel(Graph graph, ReplaceSteps replace)
        : HandModel(graph.config, replace),
          runner_(std::move(graph)),
          state_(runner_.tensors(), runner_.graph().config) {}

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

std::unique_ptr<Model> make_step_model(Graph graph, ReplaceSteps replace) {
    return std::make_unique<StepModel>(std::move(graph), replace);
}

std::unique_ptr<Implementation> make_step_implementation(Graph graph, DType dtype) {
    if (dtype == DType::float64) {
        return std::make_unique<StepImplementation<double>>(std::move(graph));
    }
    return std::make_unique<StepImplementation<float>>(std::move(graph));
}

}  // namespace byhand
