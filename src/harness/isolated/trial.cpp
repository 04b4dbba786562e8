#include "harness/isolated/trial.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <type_traits>

#include "base/tensors.h"

namespace byhand {
namespace {

// "NaN", "−∞", "−0", "0.5"
std::string name_of(double x) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x, std::chars_format::general, 6);
    return std::isnan(x)   ? "NaN"
           : std::isinf(x) ? (x < 0 ? "−∞" : "∞")
           : x == 0        ? (std::signbit(x) ? "−0" : "0")
                           : std::string(digits.data(), end.ptr);
}

// Turns the trial into a failed one if an element whose class counts is of another class than the exact one.
template <class T>
void compare_classes(Trial& trial, std::span<const T> ours, const RightResult& right) {
    for (std::size_t i = 0; i < ours.size() && i < right.of_class.size() && !fails(trial.verdict); ++i) {
        const double made = ours[i], exact = right.exact[i];
        if (right.of_class[i] && !same_class(made, exact)) {
            trial.verdict = exact == 0 ? Verdict::mismatch : Verdict::non_finite;
            trial.worst = Worst{i, made, exact, std::nullopt};
            trial.note =
                element_of(right.name, right.shape, i) + " is " + name_of(made) + ", expected " + name_of(exact);
        }
    }
}

}  // namespace

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
            trial.note = "adds to its result, which is not initialised: set it to 0 before +=";
        }
    } else if (trial.verdict == Verdict::exact || trial.verdict == Verdict::vacuous) {
        trial.worst.reset();
        trial.limit.reset();
    }
    return trial;
}

bool same_class(double a, double b) {
    return std::isnan(a) || std::isnan(b) ? std::isnan(a) && std::isnan(b)
                                          : std::signbit(a) == std::signbit(b) && std::isinf(a) == std::isinf(b);
}

template <class T>
Trial trial_of(std::span<const T> ours, const RightResult& right) {
    Trial trial = trial_against(ours, right.exact, right.limits);
    compare_classes(trial, ours, right);
    if (trial.verdict == Verdict::mismatch && trial.note.empty()) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), right.exact, right.limits, right.shape,
                          right.extents());
    }
    return trial;
}

template <class T>
Trial trial_of(const CallResult<T>& result, const RightResult& right) {
    Trial trial;
    if (result.made.empty()) {  // of no elements, or not at all
        trial.verdict = count(right.shape) == 0 ? Verdict::vacuous : Verdict::mismatch;
    } else {
        trial = trial_of(std::span<const T>(result.made), right);
    }
    if (!result.fault.empty()) {
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        trial.overwrites = result.overwrites;
    }
    trial.in_double = std::is_same_v<T, double>;
    return trial;
}

template Trial trial_of(std::span<const float>, const RightResult&);
template Trial trial_of(std::span<const double>, const RightResult&);
template Trial trial_of(const CallResult<float>&, const RightResult&);
template Trial trial_of(const CallResult<double>&, const RightResult&);
template Trial trial_against(std::span<const float>, const std::vector<double>&, const std::vector<double>&);
template Trial trial_against(std::span<const double>, const std::vector<double>&, const std::vector<double>&);

}  // namespace byhand
