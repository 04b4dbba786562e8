#include "lab/undo/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/value.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/layer_names.h"
#include "lab/norm_steps.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

template <class T>
std::vector<T> copy_of(const Tensors<T>& tensors, const std::string& name) {
    const std::span<const T> values = tensors[name];
    return {values.begin(), values.end()};
}

// The norm whose γ and β are those of the batch: all of it follows from x.
template <class T>
struct Undone {
    NormInput<T> in;
    NormForward<T> forward;
};
template <class T>
Undone<T> undone(const NormInput<double>& given, const NormConfig& norm) {
    Undone<T> made{as<T>(given), {}};
    const NormForward<T> batch = norm_forward(made.in, norm);
    for (std::size_t j = 0; j < given.H; ++j) {
        made.in.gain[j] = T{1} / batch.bnvar_inv[j];
        made.in.bias[j] = batch.bnmeani[j];
    }
    made.forward = norm_forward(made.in, norm);
    return made;
}

// What a norm of the network reads and the gradient of what it hands on, of each layer; with γ = 1 and β = 0.
std::vector<NormInput<double>> norm_inputs(const FirstStep& first, const Batch& batch) {
    Runner<float> runner(stepwise_graph(first.network(), batch.rows));
    copy_into(runner.tensors(), first.state);
    runner.set_batch(batch);
    runner.forward();
    runner.backward();
    std::vector<NormInput<double>> inputs;
    for (const Layer& layer : layers_with_norm(first.network())) {
        const std::size_t H = layer.outputs;
        inputs.push_back({batch.rows, H, as<double>(copy_of(runner.tensors(), layer.value("hprebn"))),
                          as<double>(copy_of(runner.tensors(), gradient_of(handed_on(layer)))),
                          std::vector<double>(H, 1), std::vector<double>(H, 0)});
    }
    return inputs;
}

double share(const std::vector<double>& found, const std::vector<double>& expected) {
    return largest_difference(found, expected) / largest_difference(expected, std::vector<double>(expected.size(), 0));
}

// x of another batch through the norm that was undone on the first one.
struct NextBatch {
    double in_training = 0;    // by that batch's own mean and deviation
    double in_evaluation = 0;  // by the first one's
};
NextBatch next_batch(const Undone<double>& first, const NormInput<double>& next, const NormConfig& norm) {
    NormInput<double> in = next;
    in.gain = first.in.gain;
    in.bias = first.in.bias;
    std::vector<double> evaluated(in.x.size());
    batchnorm_evaluate(evaluated.data(), in.x.data(), first.forward.bnmeani.data(), first.forward.bnvar.data(),
                       in.gain.data(), in.bias.data(), in.n, in.H, norm.epsilon, norm.epsilon_place,
                       RunningSpread::variance);
    return {share(norm_forward(in, norm).y, in.x), share(evaluated, in.x)};
}

void hold_against_torch(const Undone<double>& exact, const NormInput<double>& given, const NormConfig& norm,
                        const std::string& name, const Setting& setting, std::vector<Agreement>& agreements) {
    const Undone<float> by_hand = undone<float>(given, norm);
    const Undone<Rounded> bounds = undone<Rounded>(given, norm);
    agreements.push_back(agreement(name + " by hand in float: y from x", by_hand.forward.y, bounds.forward.y, given.x));
    if (setting.torch == nullptr) {
        return;
    }
    const auto torch = setting.torch->single_operation(op::kBatchnorm, norm, given.n, given.H);
    const std::vector<View> values = views_of(exact.in);
    agreements.push_back(agreement(name + ": y from LibTorch's", by_hand.forward.y, bounds.forward.y,
                                   torch->evaluate("hpreact", values)));
    agreements.push_back(agreement(name + ": dx from LibTorch's", norm_backward(by_hand.in, by_hand.forward, norm).dx,
                                   norm_backward(bounds.in, bounds.forward, norm).dx,
                                   torch->evaluate("dhprebn", values)));
}

// Logits and loss of the network with every norm undone, beside those of the same weights without any norm.
struct WholeNetwork {
    std::vector<double> logits;
    double loss = 0;
};
WholeNetwork with_norms_undone(const FirstStep& first) {
    Runner<double> runner(stepwise_graph(first.network(), first.run.recipe.batch));
    Tensors<double>& tensors = runner.tensors();
    copy_into(tensors, first.state);
    runner.set_batch(first.batch.view());
    for (const Layer& layer : layers_with_norm(first.network())) {
        runner.forward_to(layer.value("bnvar_inv"));
        std::ranges::transform(tensors[layer.value("bnvar_inv")], tensors[layer.value("bngain")].begin(),
                               [](double inverse) { return 1 / inverse; });
        std::ranges::copy(tensors[layer.value("bnmeani")], tensors[layer.value("bnbias")].begin());
    }
    runner.forward();
    return {copy_of(tensors, "logits"), tensors["loss"][0]};
}
WholeNetwork without_norms(const FirstStep& first) {
    NetworkConfig plain = first.network();
    plain.norm.place = NormPlace::none;
    Tensors<float> weights(state(plain));
    for (const TensorSpec& spec : weights.table()) {
        std::ranges::copy(first.state[spec.name], weights[spec.name].begin());
    }
    Runner<double> runner(stepwise_graph(plain, first.run.recipe.batch));
    copy_into(runner.tensors(), weights);
    runner.set_batch(first.batch.view());
    runner.forward();
    return {copy_of(runner.tensors(), "logits"), runner.tensors()["loss"][0]};
}

}  // namespace

void tell_identity(Document& document, const FirstStep& first, const Setting& setting) {
    const NormConfig& norm = first.network().norm;
    DrawnBatch second = first.batch;
    TorchGenerator generator = first.run.generator;
    draw_batch(second, first.run.train, generator);
    const std::vector<NormInput<double>> given = norm_inputs(first, first.batch.view());
    const std::vector<NormInput<double>> next = norm_inputs(first, second.view());

    Table table{"undone on the first batch; shares of the largest magnitude, in double",
                {"", "y from x", "next batch", "evaluated", "dx from dy"},
                {}};
    std::vector<Agreement> agreements;
    Json& data = document.data["identity"] = Json::array();
    double worst = 0, worst_next = 0;
    const std::vector<Layer> layers = layers_with_norm(first.network());
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const Undone<double> exact = undone<double>(given[l], norm);
        const double y_from_x = share(exact.forward.y, given[l].x);
        const NextBatch other = next_batch(exact, next[l], norm);
        const double dx_from_dy = share(norm_backward(exact.in, exact.forward, norm).dx, given[l].dy);
        const std::string name = handed_on(layers[l]);
        table.rows.push_back({name, significant(y_from_x, 2), significant(other.in_training, 2),
                              significant(other.in_evaluation, 2), significant(dx_from_dy, 2)});
        data.push_back({{"norm", name},
                        {"y_from_x", y_from_x},
                        {"next_batch", other.in_training},
                        {"next_batch_evaluated", other.in_evaluation},
                        {"dx_from_dy", dx_from_dy}});
        worst = std::max(worst, y_from_x);
        worst_next = std::max(worst_next, other.in_training);
        hold_against_torch(exact, given[l], norm, name, setting, agreements);
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(table_of("float, and what rounding in float may come to", agreements));
    document.agrees = document.agrees && all_hold(agreements);

    const WholeNetwork undone_one = with_norms_undone(first), plain = without_norms(first);
    const double logits = share(undone_one.logits, plain.logits);
    document.data["network"] = {
        {"loss_undone", undone_one.loss}, {"loss_without_norm", plain.loss}, {"logits", logits}};
    constexpr double kRounding = 1e-9;
    document.blocks.emplace_back(Text{fmt::format(
        "{} On the batch whose μ and σ they are, y is x up to {:.1g} of its size. With every norm undone the network's "
        "loss on that batch is {:.6f}, and that of the same weights without any norm {:.6f}; the logits differ by "
        "{:.1g} of their size. On the next batch, whose mean and deviation are others, the same γ and β leave y up to "
        "{:.2g} of its size away from x: only in evaluation, by fixed figures, is the norm undone for every input. And "
        "backwards it is no identity even on its own batch: μ and σ move with x, so dx is not dy.",
        worst <= kRounding && logits <= kRounding ? "The claim holds." : "The claim does not hold here.", worst,
        undone_one.loss, plain.loss, logits, worst_next)});
}

}  // namespace byhand::lab
