#include "harness/trial.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "base/tensors.h"

namespace byhand {
namespace {

// The first element that has no figure, and what there is to say of it: unwritten before all else.
template <class T>
std::optional<std::pair<std::size_t, Verdict>> first_without_figure(std::span<const T> ours,
                                                                    const std::vector<bool>& in_range) {
    std::optional<std::pair<std::size_t, Verdict>> first;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (is_unwritten(&ours[i])) {
            return std::pair(i, Verdict::unwritten);
        }
        if (in_range[i] && !std::isfinite(ours[i]) && !first) {
            first = std::pair(i, Verdict::non_finite);
        }
    }
    return first;
}

// The figures over the elements that have some; `point` is told of the worst so far.
template <class T, class Point>
void measure(Trial& trial, std::span<const T> ours, const std::vector<double>& answer,
             const std::vector<double>& limits, const std::vector<bool>& in_range, Point point) {
    double largest_limit = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (!in_range[i] || !std::isfinite(ours[i])) {
            continue;
        }
        const double error = std::abs(static_cast<double>(ours[i]) - answer[i]);
        trial.error = std::max(trial.error, error);
        trial.scale = std::max(trial.scale, std::abs(answer[i]));
        largest_limit = std::max(largest_limit, limits[i]);
        const bool ok = error <= limits[i];
        const double used = error == 0 ? 0 : error / limits[i];
        // (Where there is no error to spare every share is endless: then the largest error is the worst.)
        const bool as_bad = used > 0 && used == trial.used && error > std::abs(trial.ours - trial.answer);
        if (used > trial.used || as_bad || (!ok && agrees(trial.verdict))) {
            trial.used = used;
            point(i, ok && trial.verdict != Verdict::mismatch ? Verdict::within : Verdict::mismatch);
        }
    }
    trial.catches = trial.scale > 0 ? 2 * largest_limit / trial.scale : 0;
}

}  // namespace

template <class T>
Trial judge(std::span<const T> ours, const std::vector<double>& answer, const std::vector<double>& limits) {
    Trial trial;
    trial.verdict = Verdict::exact;
    if (ours.size() != answer.size() || ours.size() != limits.size()) {
        trial.verdict = Verdict::shape;
        trial.note = "as many elements as the answer has are wanted";
        return trial;
    }
    const auto point = [&](std::size_t i, Verdict verdict) {
        trial.verdict = verdict;
        trial.worst = i;
        trial.ours = static_cast<double>(ours[i]);
        trial.answer = answer[i];
        trial.limit = limits[i];
    };
    std::vector<bool> in_range(ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        in_range[i] = std::isfinite(limits[i]) && std::isfinite(answer[i]);
    }
    measure(trial, ours, answer, limits, in_range, point);
    const auto is_zero = [](auto number) { return number == 0; };
    if (const auto bad = first_without_figure(ours, in_range)) {
        point(bad->first, bad->second);
        trial.nothing_written = std::ranges::all_of(ours, [](const T& number) { return is_unwritten(&number); });
        if (std::ranges::any_of(ours, [](const T& number) { return is_from_unwritten(&number); })) {
            trial.note = "reads its result before it is set; += needs = 0 first";
        }
    } else if (trial.verdict != Verdict::mismatch && !std::ranges::all_of(in_range, std::identity())) {
        point(static_cast<std::size_t>(std::ranges::find(in_range, false) - in_range.begin()), Verdict::out_of_range);
    } else if (trial.verdict == Verdict::exact && std::ranges::all_of(ours, is_zero) &&
               std::ranges::all_of(answer, is_zero)) {
        trial.verdict = Verdict::vacuous;
    }
    return trial;
}

template Trial judge(std::span<const float>, const std::vector<double>&, const std::vector<double>&);
template Trial judge(std::span<const double>, const std::vector<double>&, const std::vector<double>&);

bool fails(const Trial& trial) {
    return contradicts(trial.verdict) && trial.verdict != Verdict::vacuous && trial.verdict != Verdict::out_of_range;
}

}  // namespace byhand
