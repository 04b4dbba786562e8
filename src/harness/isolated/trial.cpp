#include "harness/isolated/trial.h"

#include <algorithm>

#include "base/tensors.h"

namespace byhand {

template <class T>
Trial trial_against(std::span<const T> ours, const std::vector<double>& exact, const std::vector<double>& limits) {
    const View made = view_of(ours), right = view_of(exact);
    Trial trial;
    static_cast<Finding&>(trial) = judge(made, &right, nullptr, limits, {.vacuous = Vacuous::all_zero});
    trial.shape.clear();
    if (trial.verdict == Verdict::shape) {
        trial.note = "has another number of elements than the reference";
    } else if (trial.verdict == Verdict::unwritten || trial.verdict == Verdict::non_finite) {
        trial.nothing_written = std::ranges::all_of(ours, [](const T& number) { return is_unwritten(&number); });
        if (std::ranges::any_of(ours, [](const T& number) { return is_from_unwritten(&number); })) {
            trial.note = "reads its result before it is set; += needs = 0 first";
        }
    } else if (trial.verdict == Verdict::exact || trial.verdict == Verdict::vacuous) {
        trial.worst.reset();
        trial.limit.reset();
    }
    return trial;
}

template Trial trial_against(std::span<const float>, const std::vector<double>&, const std::vector<double>&);
template Trial trial_against(std::span<const double>, const std::vector<double>&, const std::vector<double>&);

}  // namespace byhand
