#include "harness/isolated/cases.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
Trial trial_of(const CallResult<T>& result, const StepRun& one, Leeway leeway) {
    const NetworkConfig& network = one.size.network;
    const std::size_t n = one.size.rows * operations(network).at(one.step->operation).positions;
    std::vector<double> limits = limits_of<T>(*one.input, leeway);
    RightResult right{
        one.step->makes,    one.step->shape, one.input->exact, limits, [&] { return extents_of(network, n); },
        one.input->of_class};
    // A mask that is a product makes a NaN of one that it masks, a difference one of infinities that cancel.
    for (std::size_t i = 0; i < std::min({result.made.size(), limits.size(), right.of_class.size()}); ++i) {
        const double made = result.made[i];
        limits[i] = std::isfinite(made) ? limits[i] : std::numeric_limits<double>::infinity();
        right.of_class[i] = right.of_class[i] && (!std::isnan(made) || std::isnan(one.input->exact[i]));
    }
    Trial trial = trial_of(result, right);
    trial.input = one.kind;
    if (!one.on.empty()) {
        trial.on = one.on;
        trial.by = one.by;
        trial.shape = one.step->shape;
    }
    return trial;
}

template std::vector<double> limits_of<float>(const StepInput&, Leeway);
template std::vector<double> limits_of<double>(const StepInput&, Leeway);
template Trial trial_of(const CallResult<float>&, const StepRun&, Leeway);
template Trial trial_of(const CallResult<double>&, const StepRun&, Leeway);

}  // namespace byhand
