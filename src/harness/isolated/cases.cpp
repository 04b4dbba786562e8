#include "harness/isolated/cases.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "harness/isolated/hints.h"
#include "harness/limits/monte_carlo.h"

namespace byhand {

template <class T>
std::vector<double> limits_of(const StepInput& input, Leeway leeway) {
    const double unit = (sizeof(T) == sizeof(float) ? 1 : kDoubles) * (leeway == Leeway::words ? kOtherWords : 1);
    std::vector<double> limits = leeway == Leeway::none    ? input.in_our_order
                                 : leeway == Leeway::order ? input.in_any_order
                                                           : input.in_other_words;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        limits[i] = unit * limits[i] + 2 * kDoubles * input.in_any_order[i];
    }
    return limits;
}

template <class T>
Trial trial_of(const CallResult<T>& result, const StepRun<T>& one, Leeway leeway) {
    Trial trial;
    if (result.made.empty()) {
        trial.verdict = Verdict::mismatch;
    } else {
        const std::span<const T> ours = result.made;
        std::vector<double> limits = limits_of<T>(*one.input, leeway);
        std::vector<bool> of_class = one.input->of_class;
        // A mask that is a product makes a NaN of one that it masks, a difference one of infinities that cancel.
        for (std::size_t i = 0; i < std::min({ours.size(), limits.size(), of_class.size()}); ++i) {
            limits[i] = std::isfinite(ours[i]) ? limits[i] : std::numeric_limits<double>::infinity();
            of_class[i] = of_class[i] && (!std::isnan(ours[i]) || std::isnan(one.input->exact[i]));
        }
        trial = trial_against(ours, one.input->exact, limits);
        compare_classes(trial, ours, one.input->exact, of_class, one.step->makes, one.step->shape);
        if (trial.verdict == Verdict::mismatch && trial.note.empty()) {
            const NetworkConfig& network = one.size.network;
            const std::size_t n = one.size.rows * operations(network).at(one.step->operation).positions;
            trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), one.input->exact, limits, one.step->shape,
                              extents_of(network, n));
        }
    }
    if (!result.fault.empty()) {
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        trial.overwrites = result.overwrites;
    }
    trial.input = one.kind;
    trial.in_double = sizeof(T) == sizeof(double);
    if (!one.on.empty()) {
        trial.on = one.on;
        trial.by = one.by;
        trial.shape = one.step->shape;
    }
    return trial;
}

template std::vector<double> limits_of<float>(const StepInput&, Leeway);
template std::vector<double> limits_of<double>(const StepInput&, Leeway);
template Trial trial_of(const CallResult<float>&, const StepRun<float>&, Leeway);
template Trial trial_of(const CallResult<double>&, const StepRun<double>&, Leeway);

}  // namespace byhand
