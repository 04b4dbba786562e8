// The calls of a kernel, and what their results show.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "harness/isolated/step_inputs.h"
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
    same->reference_off += one.reference_off;
    if (same->off_reference.empty()) {
        same->off_reference = std::move(one.off_reference);
    }
    same->share = std::max(same->share, one.share);
    same->amplified += one.amplified;
    same->not_amplified += one.not_amplified;
    same->share_of_largest = std::max(same->share_of_largest, one.share_of_largest);
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

// The largest error where there is a limit and the result is finite.
template <class T>
double error_of(const std::vector<T>& made, const std::vector<double>& right, const std::vector<double>& limits) {
    double error = 0;
    for (std::size_t i = 0; i < made.size(); ++i) {
        error =
            std::isfinite(limits[i]) && std::isfinite(made[i]) ? std::max(error, std::abs(made[i] - right[i])) : error;
    }
    return error;
}

// What the rounding of saved values may move the result by, added to the limits: they were rounded when they were
// saved, by half a unit in the last place, and here are moved by one. Where the result is finite for some of them only,
// there is no limit.
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

// Of the elements at which a kernel in float is nearer to what it makes in double than the reference in double is, the
// one at which that is farthest off: "y[3] is 4.1e-18 in float and 4.1399e-18 in double, but 0 by the reference". Empty
// if there are none.
std::string reference_off(const std::vector<float>& in_float, const std::vector<double>& in_double,
                          const Sampled& right, const std::string& name) {
    std::size_t worst = 0;
    double most = 0;
    for (std::size_t i = 0; i < in_double.size() && i < in_float.size(); ++i) {
        const double off = std::abs(in_double[i] - right.exact.numbers[i]);
        const bool is_farther_than_floats = off > 0x1p-24 * std::abs(in_double[i]);
        if (is_farther_than_floats && std::abs(in_float[i] - in_double[i]) < off / 4 && off > most) {
            worst = i;
            most = off;
        }
    }
    return most == 0 ? ""
                     : fmt::format("{} is {:.8g} in float and {:.8g} in double, but {:.8g} by the reference",
                                   element_of(name, right.exact.shape, worst), in_float[worst], in_double[worst],
                                   right.exact.numbers[worst]);
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
        const double accepted = expected_.share_ * largest_of(right.exact.numbers, std::max(largest, 1.0));
        std::ranges::transform(limits, limits.begin(), [&](double limit) { return std::max(limit, accepted); });
    }
    return limits_in(*functions_[run.function]->type, right, std::move(limits));
}

template <class T, class Visit>
void KernelCheck::for_each_result(const std::vector<CallResult<T>>& results, Visit visit) const {
    std::size_t next = 0;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            if (!run.step.in<T>().run) {
                continue;
            }
            const std::size_t moved = one.evaluations[run.function].moved.size();
            const CallResult<T>& result = results.at(next);
            const bool is_called = !result.made.empty() || !result.fault.empty() || count(run.step.shape) == 0;
            if (is_called) {
                visit(one, run, result, std::span(results).subspan(next + 1, moved));
            }
            next += 1 + moved;
        }
    }
}

template <class T>
CheckedTrial KernelCheck::checked_of(const Case& one, const Run& run, const CallResult<T>& result,
                                     std::span<const CallResult<T>> of_moved) const {
    const Step& step = run.step;
    const Evaluation& evaluation = one.evaluations[run.function];
    const Sampled& right = find_sampled(evaluation.right, step.makes);
    std::vector<double> limits = limits_of(evaluation, run, right, one.largest);
    add_rounding_of_saved(limits, result, of_moved);
    Trial trial = trial_of(result, right.exact.numbers, limits, step.shape, extents_of(shapes_[one.shapes].front()));
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
    const Verdict verdict = checked.trial.verdict;
    const bool is_off = (verdict == Verdict::mismatch || verdict == Verdict::non_finite) && checked.trial.note.empty();
    const double none = std::numeric_limits<double>::infinity();
    const double error = error_of(result.made, right.exact.numbers, limits);
    const double size = largest_of(right.exact.numbers, 0), largest = std::max(size, one.largest);
    const double scale = std::max(largest, 1.0);
    if (agrees(verdict)) {
        checked.agrees_at = {one.largest};
    } else if (fails(verdict)) {
        checked.fails_from = one.largest;
        if (const auto& worst = checked.trial.worst) {
            checked.inputs = inputs_at(evaluation.values, reads_, step.shape, worst->position);
        }
        checked.share = is_off ? error / scale : none;
        checked.share_of_largest = is_off ? error / largest : none;
        checked.non_finite_from = is_off && verdict == Verdict::non_finite ? one.largest : none;
    }
    return {std::move(checked), verdict == Verdict::non_finite ? none : error, size, scale};
}

std::vector<Checked> KernelCheck::checked_in_both(const ResultsOfBoth& results) const {
    struct InFloat {
        const std::vector<float>* made;
        double error;
        bool is_off;
    };
    std::vector<Checked> all;
    std::map<std::tuple<const Case*, std::string, bool>, InFloat> in_float;  // by case, result and place
    for_each_result(results.in_float, [&](const Case& one, const Run& run, const CallResult<float>& result,
                                          std::span<const CallResult<float>> of_moved) {
        CheckedTrial trial = checked_of(one, run, result, of_moved);
        if (*functions_[run.function]->type == DType::float32) {
            in_float[{&one, run.step.makes, run.in_place}] = {&result.made, trial.error,
                                                              fails(trial.checked.trial.verdict)};
        }
        add_trial(std::move(trial.checked), all);
    });
    for_each_result(results.in_double, [&](const Case& one, const Run& run, const CallResult<double>& result,
                                           std::span<const CallResult<double>> of_moved) {
        auto [checked, error, size, scale] = checked_of(one, run, result, of_moved);
        const auto found = in_float.find({&one, run.step.makes, run.in_place});
        if (found != in_float.end()) {
            const InFloat& beside = found->second;
            if (agrees(checked.trial.verdict)) {
                const Sampled& right = find_sampled(one.evaluations[run.function].right, run.step.makes);
                checked.off_reference = reference_off(*beside.made, result.made, right, run.step.makes);
                checked.reference_off = checked.off_reference.empty() ? 0 : 1;
            }
            if (beside.is_off || fails(checked.trial.verdict)) {
                const Amplified how = amplified(beside.error, error, size, scale);
                checked.amplified = how == Amplified::yes ? 1 : 0;
                checked.not_amplified = how == Amplified::no ? 1 : 0;
            }
        }
        add_trial(std::move(checked), all);
    });
    return all;
}

template std::vector<Call<float>> KernelCheck::calls() const;
template std::vector<Call<double>> KernelCheck::calls() const;

}  // namespace byhand
