#include "manual/models.h"

#include <map>
#include <stdexcept>
#include <utility>

#include "manual/hand_model.h"
#include "steps/runner.h"

namespace byhand {
namespace {

template <class T>
class StepModel final : public HandModel {
public:
    StepModel(Graph graph, Keep keep, ReplaceSteps replace)
        : HandModel(graph.config, replace),
          keep_(keep),
          runner_(std::move(graph)),
          state_(runner_.tensors(), runner_.graph().config) {}

    void load(const Tensors<float>& state) override {
        if (keep_ == Keep::all) {
            runner_.tensors().clear();
        }
        copy_into(runner_.tensors(), state);
    }
    Tensors<float> save() const override { return state_.save(); }

    void run(const Batch& batch, float rate) override {
        runner_.set_batch(batch);
        runner_.set_rate(static_cast<T>(rate));
        runner_.forward();
        runner_.backward();
        runner_.update();
        if (keep_ == Keep::all) {
            runner_.evaluate();
        }
    }

    float train_step(const Batch& batch, float rate) override {
        run(batch, rate);
        state_.commit();
        return static_cast<float>(runner_.tensors()["loss"][0]);
    }

    std::vector<View> views() const override {
        std::vector<View> all = runner_.tensors().views();
        std::erase_if(all, [](const View& view) { return view.name == "rate"; });
        return all;
    }

private:
    Keep keep_;
    Runner<T> runner_;
    StateInPlace<T> state_;
};

}  // namespace

HandForm hand_form(const std::string& name) {
    static const std::map<std::string, HandForm> forms = {
        {"stepwise", HandForm::stepwise}, {"collapsed", HandForm::collapsed}, {"fused", HandForm::fused}};
    const auto found = forms.find(name);
    if (found == forms.end()) {
        throw std::invalid_argument("no hand-written network is called " + name);
    }
    return found->second;
}

std::unique_ptr<Trainable> make_step_model(Graph graph, Keep keep, DType dtype, ReplaceSteps replace) {
    if (dtype == DType::float64) {
        return std::make_unique<StepModel<double>>(std::move(graph), keep, replace);
    }
    return std::make_unique<StepModel<float>>(std::move(graph), keep, replace);
}

}  // namespace byhand
