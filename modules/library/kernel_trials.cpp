// The calls of a kernel, and what their results show.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "harness/isolated/step_inputs.h"
#include "harness/limits/monte_carlo.h"
#include "library/kernel_check.h"
#include "library/kernel_inputs.h"

namespace byhand {
namespace {

// Whether they are of the same tensor, in any type.
bool have_same_inputs(const Checked& one, const Checked& other) {
    return one.name == other.name && one.is_beside == other.is_beside && (one.is_beside || one.reads == other.reads);
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
            squares += std::isfinite(result.made[i]) ? change * change : 0;
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
        const bool is_its_rounding = i < right.in_double.size() && std::isfinite(off) && off <= right.in_double[i];
        const bool is_farther_than_floats = off > 0x1p-24 * std::abs(in_double[i]);
        if (is_its_rounding && is_farther_than_floats && std::abs(in_float[i] - in_double[i]) < off / 4 && off > most) {
            worst = i;
            most = off;
        }
    }
    return most == 0 ? ""
                     : fmt::format("{} is {:.8g} in float and {:.8g} in double, but {:.8g} by the reference",
                                   element_of(name, right.exact.shape, worst), in_float[worst], in_double[worst],
                                   right.exact.numbers[worst]);
}

// What a kernel has made in one type.
template <class T>
struct TypedResult {
    const std::vector<T>& numbers;
    const std::vector<double>& right;
    const std::vector<double>& limits;

    // ∞ for NaN; 0 where there is no limit.
    double error(std::size_t i) const {
        const double off = std::isfinite(limits[i]) ? std::abs(numbers[i] - right[i]) : 0;
        return std::isnan(off) ? std::numeric_limits<double>::infinity() : off;
    }
    bool is_off(std::size_t i) const { return error(i) > limits[i]; }
};

// The largest error, NaN aside.
template <class T>
double largest_error(const TypedResult<T>& result) {
    double largest = 0;
    for (std::size_t i = 0; i < result.numbers.size(); ++i) {
        largest = std::isfinite(result.error(i)) ? std::max(largest, result.error(i)) : largest;
    }
    return largest;
}

// Whether these are the largest errors of the elements that are off, in float (∞: NaN) and in double, of a formula that
// amplifies rounding: on the same inputs their ratio is about that of the units, where those of a wrong formula are
// about equal. Errors end at about the `size`, the largest of the results. `perhaps`: that in double is no more than
// rounding of numbers about the `scale`, the largest of the inputs, the results and 1, and the pair decides nothing.
enum class Amplified { yes, perhaps, no };
Amplified amplified(double in_float, double in_double, double size, double scale) {
    // How far the ratio of the two may be from that of the units; up to which error in float that in double may be
    // smaller; from which on, since errors end there, larger; and what is rounding in double of numbers around the
    // scale.
    constexpr double kLess = 4096, kMore = 16, kSmall = 0x1p-20, kLarge = 0x1p-7, kMostInDouble = 0x1p-10;
    constexpr double kUnits = 0x1p-48;
    const double as_rounding = kDoubles * in_float;
    bool has_ratio = false;
    if (in_float == 0 && in_double == 0) {
        return Amplified::perhaps;
    }
    if (in_float <= kSmall * scale) {
        has_ratio = in_double <= kMore * as_rounding && (in_float <= kLarge * size || in_double >= as_rounding / kLess);
        if (!has_ratio && in_double <= kUnits * scale) {
            return Amplified::perhaps;
        }
    } else if (std::isinf(in_float)) {
        has_ratio = in_double <= kMostInDouble * size;
    } else {
        const bool is_not_more =
            in_double <= kMore * as_rounding || (in_float > kLarge * size && in_double <= kMostInDouble * size);
        has_ratio = in_double >= as_rounding / kLess && is_not_more;
    }
    return has_ratio ? Amplified::yes : Amplified::no;
}

// Of the elements that are off in either type, the largest errors.
Amplified amplified_in(const TypedResult<float>& in_float, const TypedResult<double>& in_double, double largest) {
    double off_in_float = 0, off_in_double = 0;
    for (std::size_t i = 0; i < std::min(in_float.numbers.size(), in_double.numbers.size()); ++i) {
        if (in_float.is_off(i) || in_double.is_off(i)) {
            off_in_float = std::max(off_in_float, in_float.error(i));
            off_in_double = std::max(off_in_double, in_double.error(i));
        }
    }
    const double size = largest_of(in_double.right, 0);
    return amplified(off_in_float, off_in_double, size, std::max({size, largest, 1.0}));
}

// Gives those the verdict less_accurate that fail by nothing but amplified rounding. Without a function in double: by
// less than a millionth of the largest number.
void find_less_accurate(std::vector<Checked>& all) {
    constexpr double kMostInFloatOnly = 0x1p-20;
    const auto is_off = [](const Checked& one) {
        return one.trial.verdict == Verdict::mismatch || one.trial.verdict == Verdict::non_finite;
    };
    const auto call_less_accurate = [&](Checked& one) {
        if (is_off(one)) {
            one.trial.verdict = Verdict::less_accurate;
            one.trial.hint.clear();
        }
    };
    const auto is_seen_to_amplify = [&](const std::string& name) {
        return std::ranges::any_of(all, [&](const Checked& one) { return one.name == name && one.amplified > 0; });
    };
    for (Checked& one : all) {
        if (one.type != DType::float32) {
            continue;
        }
        const auto in_double = std::ranges::find_if(
            all, [&](const Checked& other) { return other.type == DType::float64 && have_same_inputs(one, other); });
        if (in_double == all.end()) {
            if (one.share_of_largest <= kMostInFloatOnly && std::isinf(one.non_finite_from)) {
                call_less_accurate(one);
            }
        } else if (std::isfinite(one.share) && std::isfinite(in_double->share) && in_double->not_amplified == 0 &&
                   is_seen_to_amplify(one.name)) {
            call_less_accurate(one);
            call_less_accurate(*in_double);
        }
    }
}

// Leaves the trial's hint only if another that fails has it: what a single one suggests may be chance.
void keep_confirmed_hint(Checked& one) {
    const auto found = one.hints.find(one.trial.hint);
    if (found == one.hints.end() || found->second < 2) {
        one.trial.hint.clear();
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
                for (const Tensors<double>& moved : one.evaluations[run.function].moved) {
                    all.push_back({&run.step, &moved});
                }
            }
        }
    }
    return all;
}

template <class T>
std::vector<double> KernelCheck::limits_of(const Called<T>& called, const Sampled& right) const {
    const Run& run = *called.run;
    std::vector<double> limits = right.limits;
    if (run.step.rounded.run) {
        const std::vector<Rounded> made = rounded_result(run.step, called.evaluation().values);
        std::ranges::transform(made, limits.begin(), &Rounded::error);
    }
    if (expected_.share_ > 0) {
        const double accepted = expected_.share_ * largest_of(right.exact.numbers, std::max(called.of->largest, 1.0));
        std::ranges::transform(limits, limits.begin(), [&](double limit) { return std::max(limit, accepted); });
    }
    limits = limits_in(*functions_[run.function]->type, right, std::move(limits));
    add_rounding_of_saved(limits, *called.result, called.of_moved);
    return limits;
}

template <class T>
std::vector<Called<T>> KernelCheck::called(const std::vector<CallResult<T>>& results) const {
    std::vector<Called<T>> all;
    std::size_t next = 0;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            if (!run.step.in<T>().run) {
                continue;
            }
            const std::size_t moved = one.evaluations[run.function].moved.size();
            const std::span<const CallResult<T>> of_moved = std::span(results).subspan(next + 1, moved);
            const auto faulty = std::ranges::find_if(of_moved, [](const auto& call) { return !call.fault.empty(); });
            const bool fails_if_moved = results.at(next).fault.empty() && faulty != of_moved.end();
            const CallResult<T>& result = fails_if_moved ? *faulty : results[next];
            if (!result.made.empty() || !result.fault.empty() || count(run.step.shape) == 0) {
                all.push_back({&one, &run, &result, of_moved});
            }
            next += 1 + moved;
        }
    }
    return all;
}

template <class T>
Checked KernelCheck::checked_of(const Called<T>& called) const {
    const auto& [of, run, result, of_moved] = called;
    const Step& step = run->step;
    const Sampled& right = find_sampled(called.evaluation().right, step.makes);
    const std::vector<double> limits = limits_of(called, right);
    const std::vector<Shape>& shapes = shapes_[of->shapes];
    Trial trial = trial_of(*result, {step.makes, step.shape, right.exact.numbers, limits,
                                     [&] { return extents_of(shapes.front()); }, right.of_class});
    trial.on = of->on + (run->in_place ? ", in place of " + expected_.may_alias_ : "");
    Checked checked{
        .name = step.makes,
        .shape = step.shape,
        .type = *functions_[run->function]->type,
        .trials = 1,
        .out_of_range = trial.verdict == Verdict::out_of_range ? 1U : 0U,
        .reads = fmt::format(
            "{}", fmt::join(std::views::transform(shapes, [](const Shape& one) { return to_string(one); }), ", ")),
        .trial = std::move(trial),
        .is_beside = !is_given(of->shapes)};
    const Verdict verdict = checked.trial.verdict;
    if (agrees(verdict)) {
        checked.agrees_at = {of->largest};
    } else if (fails(verdict)) {
        checked.fails_from = of->largest;
        if (const auto& worst = checked.trial.worst) {
            checked.inputs = inputs_at(called.evaluation().values, reads_, step.shape, worst->position);
        }
        const bool is_off =
            (verdict == Verdict::mismatch || verdict == Verdict::non_finite) && checked.trial.note.empty();
        const double none = std::numeric_limits<double>::infinity();
        const double error = is_off ? largest_error<T>({result->made, right.exact.numbers, limits}) : none;
        const double largest = largest_of(right.exact.numbers, of->largest);
        checked.share = error / std::max(largest, 1.0);
        checked.share_of_largest = error / largest;
        checked.non_finite_from = is_off && verdict == Verdict::non_finite ? of->largest : none;
    }
    return checked;
}

// What the two types show of each other: whether errors are amplified rounding, or the reference is less accurate.
void KernelCheck::compare_types(const Called<float>& in_float, const Called<double>& in_double, bool is_off,
                                Checked& checked) const {
    const Sampled& right_in_float = find_sampled(in_float.evaluation().right, checked.name);
    const Sampled& right = find_sampled(in_double.evaluation().right, checked.name);
    if (is_off) {
        const Amplified how = amplified_in(
            {in_float.result->made, right_in_float.exact.numbers, limits_of(in_float, right_in_float)},
            {in_double.result->made, right.exact.numbers, limits_of(in_double, right)}, in_double.of->largest);
        checked.amplified = how == Amplified::yes ? 1 : 0;
        checked.not_amplified = how == Amplified::no ? 1 : 0;
    } else if (agrees(checked.trial.verdict)) {
        checked.off_reference = reference_off(in_float.result->made, in_double.result->made, right, checked.name);
        checked.reference_off = checked.off_reference.empty() ? 0 : 1;
    }
}

std::vector<Checked> KernelCheck::checked_in_both(const ResultsOfBoth& results) const {
    std::vector<Checked> all;
    std::map<std::tuple<const Case*, std::string, bool>, std::pair<Called<float>, bool>>
        in_float;  // and whether it fails
    for (const Called<float>& one : called(results.in_float)) {
        Checked checked = checked_of(one);
        if (checked.type == DType::float32) {
            in_float.insert({{one.of, checked.name, one.run->in_place}, {one, fails(checked.trial.verdict)}});
        }
        add_trial(std::move(checked), all);
    }
    for (const Called<double>& one : called(results.in_double)) {
        Checked checked = checked_of(one);
        const auto beside = in_float.find({one.of, checked.name, one.run->in_place});
        if (beside != in_float.end()) {
            const auto& [other, fails_in_float] = beside->second;
            compare_types(other, one, fails_in_float || fails(checked.trial.verdict), checked);
        }
        add_trial(std::move(checked), all);
    }
    std::ranges::for_each(all, keep_confirmed_hint);
    find_less_accurate(all);
    return all;
}

template std::vector<Call<float>> KernelCheck::calls() const;
template std::vector<Call<double>> KernelCheck::calls() const;

}  // namespace byhand
