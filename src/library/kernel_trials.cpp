// The calls of a kernel, and what their results show.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "harness/isolated/step_inputs.h"
#include "harness/limits/limits.h"
#include "library/kernel_check.h"
#include "library/kernel_inputs.h"
#include "library/kernel_step.h"

namespace byhand {
namespace {

// "(7, 27), (27)"
std::string listed(const std::vector<Shape>& shapes) {
    std::vector<std::string> texts;
    std::ranges::transform(shapes, std::back_inserter(texts), [](const Shape& shape) { return to_string(shape); });
    return fmt::format("{}", fmt::join(texts, ", "));
}

// To those of the same tensor, shapes and type, of which the one that says most is kept.
void add_trial(Checked one, std::vector<Checked>& all) {
    if (fails(one.trial.verdict)) {
        one.off = 1;
        one.off_on = {one.trial.on};
        if (!one.trial.hint.empty()) {
            one.hints = {{one.trial.hint, 1}};
        }
    }
    const auto same = std::ranges::find_if(
        all, [&](const Checked& other) { return other.type == one.type && have_same_inputs(one, other); });
    if (same == all.end()) {
        all.push_back(std::move(one));
        return;
    }
    ++same->trials;
    same->off += one.off;
    for (std::string& on : one.off_on) {
        if (std::ranges::find(same->off_on, on) == same->off_on.end()) {
            same->off_on.push_back(std::move(on));
        }
    }
    for (const auto& [hint, trials] : one.hints) {
        same->hints[hint] += trials;
    }
    same->out_of_range += one.out_of_range;
    same->share = std::max(same->share, one.share);
    same->agrees_at.insert(same->agrees_at.end(), one.agrees_at.begin(), one.agrees_at.end());
    same->fails_from = std::min(same->fails_from, one.fails_from);
    same->non_finite_from = std::min(same->non_finite_from, one.non_finite_from);
    const auto rank = [](const Trial& t) { return std::pair(agrees(t.verdict), t.used.value_or(0)); };
    if (!fails(same->trial.verdict) && (fails(one.trial.verdict) || rank(one.trial) > rank(same->trial))) {
        same->trial = std::move(one.trial);
        same->shape = std::move(one.shape);
        same->reads = std::move(one.reads);
        same->inputs = std::move(one.inputs);
    }
}

// The largest error where there is a limit and the result is finite, over the largest of the right values and of the
// inputs.
template <class T>
double share_of(const std::vector<T>& made, const std::vector<double>& right, const std::vector<double>& limits,
                double largest) {
    double error = 0;
    for (std::size_t i = 0; i < made.size(); ++i) {
        error = std::isfinite(limits[i]) && std::isfinite(made[i]) ? std::max(error, std::abs(made[i] - right[i])) : error;
    }
    return error / largest_of(right, largest);
}

// What the rounding of saved values may move the result by, added to the limits: they were rounded when they were saved,
// by half a unit in the last place, and here are moved by one. Where the result is finite for some of them only, there
// is no limit.
template <class T>
void add_rounding_of_saved(std::vector<double>& limits, const CallResult<T>& result,
                           std::span<const CallResult<T>> of_moved) {
    constexpr double kFactor = 3;
    for (std::size_t i = 0; i < limits.size() && i < result.made.size(); ++i) {
        double squares = 0;
        for (const CallResult<T>& moved : of_moved) {
            const bool is_made = moved.fault.empty() && i < moved.made.size();
            const double change = is_made ? double{moved.made[i]} - double{result.made[i]} : 0;
            const bool is_same = is_made && !std::isfinite(moved.made[i]) && !std::isfinite(result.made[i]);
            squares += is_same ? 0 : change * change;
        }
        const double off = of_moved.empty() ? 0 : std::sqrt(squares / static_cast<double>(of_moved.size()));
        limits[i] += std::isfinite(off) ? kFactor * off : std::numeric_limits<double>::infinity();
    }
}

}  // namespace

template <class T>
std::vector<Call<T>> KernelCheck::calls() const {
    std::vector<Call<T>> all;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            if (run.step.in<T>().run) {
                all.push_back({&run.step, &one.evaluations[run.function].values});
                for (const Values& moved : one.evaluations[run.function].moved) {
                    all.push_back({&run.step, &moved});
                }
            }
        }
    }
    return all;
}

// Of the kernel's own rounding if it runs on Rounded, else as sampled; of accurate_to(); and of storing the result.
std::vector<double> KernelCheck::limits_of(const Evaluation& evaluation, const Run& run, const Sampled& right,
                                           double largest) const {
    std::vector<double> limits = right.limits;
    if (run.step.rounded.run) {
        const std::vector<Rounded> made = rounded_result(run.step, evaluation.values);
        std::ranges::transform(made, limits.begin(), &Rounded::error);
    }
    if (expected_.share_ > 0) {
        const double accepted = expected_.share_ * largest_of(right.exact.numbers, largest);
        std::ranges::transform(limits, limits.begin(), [&](double limit) { return std::max(limit, accepted); });
    }
    return limits_in(*functions_[run.function]->type, right, std::move(limits));
}

template <class T>
void KernelCheck::add_trials(const std::vector<CallResult<T>>& results, std::vector<Checked>& all) const {
    std::size_t next = 0;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            const Step& step = run.step;
            if (!step.in<T>().run) {
                continue;
            }
            const std::size_t moved = one.evaluations[run.function].moved.size();
            const CallResult<T>& result = results.at(next);
            const std::span<const CallResult<T>> of_moved = std::span(results).subspan(next + 1, moved);
            next += 1 + moved;
            if (result.made.empty() && result.fault.empty() && count(step.shape) > 0) {
                continue;  // it was not called
            }
            const Evaluation& evaluation = one.evaluations[run.function];
            const Sampled& right = find_sampled(evaluation.right, step.makes);
            std::vector<double> limits = limits_of(evaluation, run, right, one.largest);
            add_rounding_of_saved(limits, result, of_moved);
            Trial trial =
                trial_of(result, right.exact.numbers, limits, step.shape, extents_of(shapes_[one.shapes].front()));
            compare_classes<T>(trial, result.made, right.exact.numbers, right.of_class, step.makes, step.shape);
            trial.on = one.on + (run.in_place ? ", in place of " + expected_.may_alias_ : "");
            Checked checked{.name = step.makes,
                            .shape = step.shape,
                            .type = *functions_[run.function]->type,
                            .trials = 1,
                            .out_of_range = trial.verdict == Verdict::out_of_range ? 1U : 0U,
                            .reads = listed(shapes_[one.shapes]),
                            .trial = std::move(trial),
                            .is_beside = !is_given(one.shapes)};
            if (agrees(checked.trial.verdict)) {
                checked.agrees_at = {one.largest};
            } else if (fails(checked.trial.verdict)) {
                checked.fails_from = one.largest;
                if (const auto& worst = checked.trial.worst) {
                    checked.inputs = inputs_at(evaluation.values, reads_, step.shape, worst->position);
                }
                const bool is_off = checked.trial.verdict == Verdict::mismatch && checked.trial.note.empty();
                const bool is_non_finite =
                    checked.trial.verdict == Verdict::non_finite && checked.trial.note.empty();
                checked.share = is_off || is_non_finite
                                    ? share_of(result.made, right.exact.numbers, limits, one.largest)
                                    : std::numeric_limits<double>::infinity();
                if (is_non_finite) {
                    checked.non_finite_from = one.largest;
                }
            }
            add_trial(std::move(checked), all);
        }
    }
}

template std::vector<Call<float>> KernelCheck::calls() const;
template std::vector<Call<double>> KernelCheck::calls() const;
template void KernelCheck::add_trials(const std::vector<CallResult<float>>&, std::vector<Checked>&) const;
template void KernelCheck::add_trials(const std::vector<CallResult<double>>&, std::vector<Checked>&) const;

}  // namespace byhand
