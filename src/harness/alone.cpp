#include "harness/alone.h"

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "harness/hints.h"

namespace byhand {
namespace {

// The limit of each element: what T's rounding may come to, and what the answer's own may, which sums in double and in
// an order of its own.
template <class T>
std::vector<double> limits_of(const Question& question, Leeway leeway) {
    constexpr double kDoubles = 0x1p-29;  // the unit of double's rounding over that of float's
    const double unit = (sizeof(T) == sizeof(float) ? 1 : kDoubles) * (leeway == Leeway::words ? kOtherWords : 1);
    std::vector<double> limits = leeway == Leeway::none ? question.in_our_order : question.in_any_order;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        limits[i] = unit * limits[i] + 2 * kDoubles * question.in_any_order[i];
    }
    return limits;
}

template <class T>
const Step<T>* find_step(const StepNetwork<T>& network, const std::string& makes) {
    for (const Step<T>* step : all_steps(network)) {
        if (step->makes == makes) {
            return step;
        }
    }
    return nullptr;
}

template <class T>
Trial trial_of(const CallResult<T>& result, const Question& question, Leeway leeway, const Shape& shape,
               std::size_t rows) {
    if (result.made.empty()) {
        Trial trial;
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        return trial;
    }
    const std::span<const T> ours = result.made;
    const std::vector<double> limits = limits_of<T>(question, leeway);
    Trial trial = judge(ours, question.answer, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), question.answer, limits, shape, rows);
    }
    if (!result.fault.empty()) {
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        trial.overwrites = result.overwrites;
    }
    return trial;
}

// On both questions.
template <class T>
std::pair<Trial, Trial> trials_of(const Step<T>& step, const Question& real, const Question& probe,
                                  const Step<Rounded>& bound, const Judge& judge, std::size_t rows) {
    const bool is_ours = step.function == bound.function;
    const Leeway leeway = is_ours ? Leeway::none : judge.leeway;
    std::vector<CallResult<T>> results = run_calls<T>({{&step, real.values.get()}, {&step, probe.values.get()}},
                                                      is_ours ? CallConfig() : judge.external);
    if (judge.external.subprocess && !is_ours) {  // what it does wrong on some values, it does
        if (results[0].fault.empty()) {
            results[0].fault = results[1].fault;
        } else if (results[1].made.empty() && results[1].fault.empty()) {  // the first call was the last
            results[1] = results[0];
        }
    }
    return {trial_of(results[0], real, leeway, step.shape, rows),
            trial_of(results[1], probe, leeway, step.shape, rows)};
}

}  // namespace

bool StepAlone::wrong() const {
    return telling() != nullptr;
}

const Trial* StepAlone::telling() const {
    for (const Trial* trial : {&real, &probe, &real_double, &probe_double}) {
        if (fails(*trial)) {
            return trial;
        }
    }
    return nullptr;
}

bool StepAlone::without_effect() const {
    const bool on_real_data = fails(real) || fails(real_double);
    return wrong() && real.note.empty() && (!on_real_data || !fails_in_chain);
}

std::optional<double> StepAlone::inherited() const {
    return error_in_chain ? std::optional(std::max(*error_in_chain - real.error, 0.0)) : std::nullopt;
}

Verdict StepAlone::verdict() const {
    if (const Trial* trial = telling()) {
        return trial->verdict;
    }
    if (real.verdict == Verdict::out_of_range || probe.verdict == Verdict::out_of_range) {
        return Verdict::out_of_range;
    }
    if (probe.verdict == Verdict::not_given) {
        return real.verdict;
    }
    if (probe.verdict == Verdict::vacuous) {
        return Verdict::vacuous;
    }
    return real.verdict == Verdict::exact && probe.verdict == Verdict::exact ? Verdict::exact : Verdict::within;
}

std::vector<StepAlone> run_alone(const StepNetwork<float>& network, const Judge& judge, const Answers& answers,
                                 Questions& questions, bool double_as_well, const std::function<void()>& begins) {
    const std::vector<std::string> known = answers.names();
    std::vector<StepAlone> results;
    for (const Step<float>* step : all_steps(network)) {
        const Step<Rounded>* bound = find_step(judge.bounds, step->makes);
        if (bound == nullptr || std::ranges::find(known, step->makes) == known.end()) {
            continue;
        }
        if (begins) {
            begins();
        }
        StepAlone result{step->makes, step->function, step->reads, {}, {}, {}, {}, step->shape};
        const Question& real = questions.real(*bound, step->reads, answers);
        const Question& probe = questions.probe(*bound, step->reads, answers);
        std::tie(result.real, result.probe) = trials_of(*step, real, probe, *bound, judge, network.rows);
        const Step<double>* in_double = find_step(judge.in_double, step->makes);
        result.real_double = result.real;
        result.probe_double = result.probe;
        if (double_as_well && in_double != nullptr) {
            std::tie(result.real_double, result.probe_double) =
                trials_of(*in_double, real, probe, *bound, judge, network.rows);
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace byhand
