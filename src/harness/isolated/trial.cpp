#include "harness/isolated/trial.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

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

}  // namespace

std::string element_of(const std::string& name, const Shape& shape, std::size_t position) {
    std::string index;
    for (const std::size_t i : index_of(shape, position)) {
        index += (index.empty() ? "" : ", ") + std::to_string(i);
    }
    return index.empty() ? name : name + "[" + index + "]";
}

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
void compare_classes(Trial& trial, std::span<const T> ours, const std::vector<double>& exact,
                     const std::vector<bool>& counts, const std::string& name, const Shape& shape) {
    for (std::size_t i = 0; i < ours.size() && i < counts.size() && !fails(trial.verdict); ++i) {
        const double made = ours[i];
        if (counts[i] && !same_class(made, exact[i])) {
            trial.verdict = exact[i] == 0 ? Verdict::mismatch : Verdict::non_finite;
            trial.worst = Worst{i, made, exact[i], std::nullopt};
            trial.note = element_of(name, shape, i) + " is " + name_of(made) + ", expected " + name_of(exact[i]);
        }
    }
}

template void compare_classes(Trial&, std::span<const float>, const std::vector<double>&, const std::vector<bool>&,
                              const std::string&, const Shape&);
template void compare_classes(Trial&, std::span<const double>, const std::vector<double>&, const std::vector<bool>&,
                              const std::string&, const Shape&);
template Trial trial_against(std::span<const float>, const std::vector<double>&, const std::vector<double>&);
template Trial trial_against(std::span<const double>, const std::vector<double>&, const std::vector<double>&);

}  // namespace byhand
