#include "harness/alone.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/hints.h"

namespace byhand {
namespace {

// The limit of each element: what T's rounding may come to, and what the answer's own may, which sums in double and in
// an order of its own.
template <class T>
std::vector<double> limits_of(const Question& question, Leeway leeway) {
    constexpr double kDoubles = 0x1p-29;  // the unit of double's rounding over that of float's
    const double unit = (sizeof(T) == sizeof(float) ? 1 : kDoubles) * (leeway == Leeway::words ? kOtherWords : 1);
    std::vector<double> limits = leeway == Leeway::none    ? question.in_our_order
                                 : leeway == Leeway::order ? question.in_any_order
                                                           : question.in_other_words;
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

// One run of a step: on a question's values, in a network of so many rows.
template <class T>
struct Case {
    const Step<T>* step = nullptr;
    const Question* question = nullptr;
    std::size_t rows = 0;
    std::string on = {};  // of the battery
};

template <class T>
Trial trial_of(const CallResult<T>& result, const Case<T>& one, Leeway leeway) {
    Trial trial;
    if (result.made.empty()) {
        trial.verdict = Verdict::mismatch;
    } else {
        const std::span<const T> ours = result.made;
        const std::vector<double> limits = limits_of<T>(*one.question, leeway);
        trial = judge(ours, one.question->answer, limits);
        if (trial.verdict == Verdict::mismatch) {
            trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), one.question->answer, limits,
                              one.step->shape, one.rows);
        }
    }
    if (!result.fault.empty()) {
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        trial.overwrites = result.overwrites;
    }
    trial.in_double = sizeof(T) == sizeof(double);
    if (!one.on.empty()) {
        trial.on = one.on;
        trial.shape = one.step->shape;
    }
    return trial;
}

// How the steps of one name are run and judged.
struct Manner {
    const Judge& judge;
    const std::string& right;  // the name of the right function

    template <class T>
    bool is_external(const Step<T>& step) const {
        return judge.external.subprocess && step.function != right;
    }
};

// A trial for each case that was run: what ends a subprocess ends the cases that follow. Empty only where there is none.
template <class T>
std::vector<Trial> trials_of(const std::vector<Case<T>>& cases, const Manner& manner) {
    if (cases.empty()) {
        return {};
    }
    std::vector<Call<T>> calls;
    for (const Case<T>& one : cases) {
        calls.push_back({one.step, one.question->values.get()});
    }
    const bool external = manner.is_external(*cases.front().step);
    std::vector<CallResult<T>> results = run_calls<T>(calls, external ? manner.judge.external : CallConfig());
    const auto fault = std::ranges::find_if(results, [](const CallResult<T>& r) { return !r.fault.empty(); });
    if (external && fault != results.end()) {  // what a function does wrong on some values, it does
        results.front().fault = fault->fault;
        results.front().overwrites = fault->overwrites;
    }
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < results.size() && (i == 0 || !results[i].made.empty() || !results[i].fault.empty());
         ++i) {
        const bool is_right = cases[i].step->function == manner.right;
        trials.push_back(trial_of(results[i], cases[i], is_right ? Leeway::none : manner.judge.leeway));
    }
    return trials;
}

// The battery's cases of the step that makes `name`, `function` being its function's name: of every step that makes it
// at those sizes.
template <class T>
std::vector<Case<T>> battery_cases(const std::vector<BatteryCase>& battery,
                                   const std::vector<const StepNetwork<T>*>& sizes, const std::string& name,
                                   const std::string& function) {
    std::vector<Case<T>> cases;
    for (const BatteryCase& one : battery) {
        const StepNetwork<T>& network = *sizes[one.size];
        for (const Step<T>* step : all_steps(network)) {
            if (step->makes == name) {
                const bool is_variant = step->function.starts_with(function + " ");  // on other vectors
                cases.push_back({step, &one.question, network.rows,
                                 one.on + (is_variant ? step->function.substr(function.size()) : "")});
            }
        }
    }
    return cases;
}

// The steps at each of the battery's sizes.
std::vector<InBoth> at_sizes(const Judge& judge) {
    std::vector<InBoth> all;
    for (const NetworkSize& size : judge.battery->sizes()) {
        all.push_back(judge.at_size(size.network, size.rows));
    }
    return all;
}

template <class T>
std::vector<const StepNetwork<T>*> pointers(const std::vector<InBoth>& sizes, StepNetwork<T> InBoth::* network) {
    std::vector<const StepNetwork<T>*> all;
    for (const InBoth& size : sizes) {
        all.push_back(&(size.*network));
    }
    return all;
}

// The first two are of the batch and of random values, the others of the battery.
void take(const std::vector<Trial>& trials, Trial& real, Trial& probe, std::vector<Trial>& battery) {
    real = trials[0];
    probe = trials.size() > 1 ? trials[1] : trials[0];
    for (std::size_t i = 2; i < trials.size(); ++i) {
        battery.push_back(trials[i]);
    }
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
    const auto failing = std::ranges::find_if(battery, fails);
    return failing != battery.end() ? &*failing : nullptr;
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
                                 Questions& questions, bool once_only, const std::function<void()>& begins) {
    const std::vector<std::string> known = answers.names();
    const bool on_battery = once_only && judge.battery != nullptr;
    const std::vector<InBoth> sizes = on_battery ? at_sizes(judge) : std::vector<InBoth>();
    const auto floats = pointers(sizes, &InBoth::in_float);
    const auto doubles = pointers(sizes, &InBoth::in_double);
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
        const Manner manner{judge, bound->function};
        static const std::vector<BatteryCase> kNone;
        const std::vector<BatteryCase>& battery =
            on_battery ? judge.battery->cases(step->makes, step->reads) : kNone;
        // All of an external function's calls share a subprocess; ours go on only where the first two are right.
        const auto run = [&]<class T>(const Step<T>& one, const std::vector<const StepNetwork<T>*>& at_size,
                                      Trial& on_real, Trial& on_probe) {
            std::vector<Case<T>> cases = {{&one, &real, network.rows}, {&one, &probe, network.rows}};
            if (manner.is_external(one)) {
                std::ranges::move(battery_cases(battery, at_size, one.makes, one.function), std::back_inserter(cases));
            }
            take(trials_of(cases, manner), on_real, on_probe, result.battery);
        };
        run(*step, floats, result.real, result.probe);
        result.real_double = result.real;
        result.probe_double = result.probe;
        const Step<double>* in_double = once_only ? find_step(judge.in_double, step->makes) : nullptr;
        if (in_double != nullptr) {
            run(*in_double, doubles, result.real_double, result.probe_double);
        }
        if (!manner.is_external(*step) && !result.wrong()) {
            const auto append = [&]<class T>(const std::vector<const StepNetwork<T>*>& at_size) {
                std::ranges::move(trials_of(battery_cases(battery, at_size, step->makes, step->function), manner),
                                  std::back_inserter(result.battery));
            };
            append(floats);
            append(doubles);
        }
        if (judge.leeway == Leeway::words && step->function != bound->function && !result.wrong()) {
            result.rounding = limits_of<float>(real, judge.leeway);
            for (double& rounding : result.rounding) {
                rounding *= result.real.used;
            }
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace byhand
