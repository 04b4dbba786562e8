#include "lab/claims/input_measures.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/member.h"

namespace byhand::lab {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

double angle(const LayerShift& layer) {
    return kDegrees * std::acos(std::clamp(layer.cosine, -1.0, 1.0));
}

double over_hidden(const InputRecord& record, Member<Wander, double> figure) {
    double sum = 0;
    for (std::size_t i = 0; i + 1 < record.units.size(); ++i) {
        sum += wander_of(record.units[i]).*figure;
    }
    return sum / static_cast<double>(record.units.size() - 1);
}

// Over layers and moments.
double over_moments(const InputRecord& record, const LayerMeasure& measure) {
    double sum = 0;
    for (const std::vector<LayerShift>& layers : record.shifts) {
        sum += mean_over_layers(layers, measure);
    }
    return sum / static_cast<double>(record.shifts.size());
}

double over_moments(const InputRecord& record, Member<Smoothness, double> figure) {
    double sum = 0;
    for (const Smoothness& moment : record.smoothness) {
        sum += moment.*figure;
    }
    return sum / static_cast<double>(record.smoothness.size());
}

constexpr const char* kSteadier = "A layer's inputs shift less while the layers before it learn";
constexpr const char* kLessShift = "Internal covariate shift, by the definition of 2018, is less";
constexpr const char* kSmoother = "The loss is smoother along the gradient";

}  // namespace

double mean_over_layers(const std::vector<LayerShift>& layers, const LayerMeasure& measure) {
    double sum = 0;
    for (const LayerShift& layer : layers) {
        sum += measure(layer);
    }
    return sum / static_cast<double>(layers.size());
}

double mean_over_moments(const InputRecord& record, std::size_t layer, const LayerMeasure& measure) {
    double sum = 0;
    for (const std::vector<LayerShift>& layers : record.shifts) {
        sum += measure(layers[layer]);
    }
    return sum / static_cast<double>(record.shifts.size());
}

const std::vector<MeasuredInput>& input_measures() {
    static const std::vector<MeasuredInput> all = {
        {kSteadier, "wander of the mean of a tanh's input, in deviations of that input", "mean wanders",
         Better::smaller, [](const InputRecord& record) { return over_hidden(record, &Wander::mean); }},
        {kSteadier, "wander of the deviation of a tanh's input, in deviations of that input", "dev. wanders",
         Better::smaller, [](const InputRecord& record) { return over_hidden(record, &Wander::deviation); }},
        {kSteadier, "relative change of a layer's input by one update of the layers before it", "input, a step",
         Better::smaller, [](const InputRecord& record) { return over_moments(record, &LayerShift::input); }},
        {kLessShift, "‖G − G′‖, mean of the layers", "‖G − G′‖", Better::smaller,
         [](const InputRecord& record) { return over_moments(record, &LayerShift::difference); }},
        {kLessShift, "angle between G and G′ in degrees, mean of the layers", "angle G, G′", Better::smaller,
         [](const InputRecord& record) { return over_moments(record, angle); }},
        {kSmoother, "variation of the loss along the gradient", "loss along ∇L", Better::smaller,
         [](const InputRecord& record) { return over_moments(record, &Smoothness::loss); }},
        {kSmoother, "largest change of the gradient along itself", "‖∇L − ∇L′‖", Better::smaller,
         [](const InputRecord& record) { return over_moments(record, &Smoothness::gradient); }},
        {kSmoother, "the same over the distance, effective β-smoothness", "β-smoothness", Better::smaller,
         [](const InputRecord& record) { return over_moments(record, &Smoothness::beta); }},
    };
    return all;
}

}  // namespace byhand::lab
