#include "harness/isolated/isolated.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/isolated/hints.h"
#include "harness/isolated/known_mistake.h"
#include "harness/isolated/shrink.h"
#include "harness/limits/limits.h"

namespace byhand {
namespace {

// The limit of each element: the rounding of T, and that of the reference operation, which sums in double and in its
// own order.
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

// One run of a step: on a step input, in a network of its size.
template <class T>
struct Case {
    const Step* step = nullptr;
    const StepInput* input = nullptr;
    NetworkSize size = {};
    // Of the battery.
    std::string on = {};  // NOLINT(readability-redundant-member-init): optional
    std::string by = {};  // NOLINT(readability-redundant-member-init): as in Trial
};

// The case of a trial, in float or in double.
struct Shown {
    const StepInput* input = nullptr;
    NetworkSize size;
    std::string function;
};

template <class T>
Trial trial_of(const CallResult<T>& result, const Case<T>& one, Leeway leeway) {
    Trial trial;
    if (result.made.empty()) {
        trial.verdict = Verdict::mismatch;
    } else {
        const std::span<const T> ours = result.made;
        std::vector<double> limits = limits_of<T>(*one.input, leeway);
        std::vector<bool> of_class = one.input->of_class;
        // A mask that is a product makes a NaN of one that it masks, a difference one of infinities that cancel.
        for (std::size_t i = 0; i < std::min({ours.size(), limits.size(), of_class.size()}); ++i) {
            limits[i] = std::isfinite(ours[i]) ? limits[i] : std::numeric_limits<double>::infinity();
            of_class[i] = of_class[i] && (!std::isnan(ours[i]) || std::isnan(one.input->exact[i]));
        }
        trial = trial_against(ours, one.input->exact, limits);
        compare_classes(trial, ours, one.input->exact, of_class, one.step->makes, one.step->shape);
        if (trial.verdict == Verdict::mismatch && trial.note.empty()) {
            const NetworkConfig& network = one.size.network;
            const std::size_t n = one.size.rows * operations(network).at(one.step->operation).positions;
            trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), one.input->exact, limits, one.step->shape,
                              extents_of(network, n));
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
        trial.by = one.by;
        trial.shape = one.step->shape;
    }
    return trial;
}

// How the steps of one name are run and judged.
struct Manner {
    const Isolation& isolation;
    const std::string& right;  // the name of the right function

    bool is_external(const Step& step) const {
        return isolation.external.subprocess && (step.in_float.name != right || step.in_double.name != right);
    }
    template <class T>
    Leeway leeway(const Step& step) const {
        return step.in<T>().name == right ? Leeway::none : isolation.leeway;
    }
};

// Runs a step on a step input, in a network of its size.
template <class T>
Made made_of(const Step& step, const StepInput& input, const NetworkSize& size, const Manner& manner) {
    const std::vector<Call<T>> call = {{&step, input.values.get()}};
    const CallResult<T> result =
        run_calls<T>(call, manner.is_external(step) ? manner.isolation.external : CallConfig()).front();
    return {trial_of(result, Case<T>{&step, &input, size}, manner.leeway<T>(step)),
            {result.made.begin(), result.made.end()}};
}

template <class T>
std::vector<Call<T>> calls_of(const std::vector<Case<T>>& cases) {
    std::vector<Call<T>> calls;
    calls.reserve(cases.size());
    for (const Case<T>& one : cases) {
        calls.push_back({one.step, one.input->values.get()});
    }
    return calls;
}

ResultsOfBoth run_both(const std::vector<Call<float>>& in_float, const std::vector<Call<double>>& in_double,
                       bool external, const CallConfig& config) {
    return external ? run_calls_in_subprocess(in_float, in_double, config)
                    : ResultsOfBoth{run_calls(in_float, {}), run_calls(in_double, {})};
}

// False for the calls that were left when the subprocess ended.
template <class T>
bool was_called(const CallResult<T>& result) {
    return !result.made.empty() || !result.fault.empty();
}

// A trial for each case that was run. Empty only if there are no cases.
template <class T>
std::vector<Trial> trials_of(const std::vector<CallResult<T>>& results, const std::vector<Case<T>>& cases,
                             const Manner& manner) {
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < results.size() && (i == 0 || was_called(results[i])); ++i) {
        trials.push_back(trial_of(results[i], cases[i], manner.leeway<T>(*cases[i].step)));
    }
    return trials;
}

// The battery's cases of the step that makes `name`, `function` being its function's name: of every step that makes it
// at those sizes.
template <class T>
std::vector<Case<T>> battery_cases(const std::vector<BatteryCase>& battery, const std::vector<Graph>& sizes,
                                   const std::string& name, const std::string& function) {
    std::vector<Case<T>> cases;
    for (const BatteryCase& one : battery) {
        const Graph& network = sizes[one.size];
        for (const Step* step : all_steps(network)) {
            if (step->makes == name && step->in<T>().run) {
                // "simd::exp_forward (AVX2)": the function, and on which vectors.
                const std::string& full = step->in<T>().name;
                const std::size_t end = std::min(full.find(" ("), full.size());
                const std::string by = full.substr(0, end);
                cases.push_back({step,
                                 &one.input,
                                 {network.config, network.rows},
                                 one.on + full.substr(end),
                                 by != function ? by : ""});
            }
        }
    }
    return cases;
}

// External functions in one process, where they share memory: some of their cases of the battery, with their results
// when no other function is called.
template <class T>
class Mixed {
public:
    // `cases` belong to the step whose result is at `place`; those of the battery begin at 2.
    void add(std::size_t place, const std::vector<Case<T>>& cases, std::vector<CallResult<T>> results) {
        constexpr std::size_t kMost = 3;
        for (std::size_t i = 2; i < std::min(cases.size(), 2 + kMost); ++i) {
            calls_.push_back({cases[i].step, cases[i].input->values.get()});
            made_.push_back(std::move(results[i].made));
            on_.push_back({place, cases[i].on});
        }
    }

    // Appends a trial to the battery of each step whose result differs.
    void run(const CallConfig& config, std::vector<IsolatedStep>& steps) {
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            calls_[i].expected = &made_[i];
        }
        CallConfig once = config;
        once.threads = once.in_a_row = false;
        const std::vector<CallResult<T>> results = run_calls<T>(calls_, once);
        for (std::size_t i = 0; i < results.size(); ++i) {
            IsolatedStep& step = steps[on_[i].place];
            if (results[i].fault.empty() || step.wrong()) {
                continue;
            }
            Trial trial;
            trial.verdict = Verdict::mismatch;
            trial.note = results[i].fault;
            const auto other = std::ranges::find_if(calls_, [&](const Call<T>& before) {
                return before.step != calls_[i].step && run_calls<T>({before, calls_[i]}, once)[1].fault == trial.note;
            });
            if (other != calls_.end()) {
                trial.note += ", such as " + other->step->template in<T>().name;
            }
            trial.in_double = std::is_same_v<T, double>;
            trial.on = on_[i].on;
            trial.shape = calls_[i].step->shape;
            step.battery.push_back(std::move(trial));
        }
    }

private:
    struct On {
        std::size_t place = 0;
        std::string on;
    };
    std::vector<Call<T>> calls_;
    std::deque<std::vector<T>> made_;
    std::vector<On> on_;
};

// The steps at each of the battery's sizes.
std::vector<Graph> at_sizes(const Isolation& isolation) {
    std::vector<Graph> all;
    for (const NetworkSize& size : isolation.battery->sizes()) {
        all.push_back(isolation.at_size(size.network, size.rows));
    }
    return all;
}

// Trials of the battery, and the case of each.
struct OnBattery {
    std::vector<Trial>& trials;
    std::vector<Shown> shown = {};  // NOLINT(readability-redundant-member-init): it may be left out

    template <class T>
    void append(const std::vector<Trial>& more, const std::vector<Case<T>>& cases, std::size_t begin = 0) {
        for (std::size_t i = begin; i < more.size(); ++i) {
            trials.push_back(more[i]);
            shown.push_back({cases[i].input, cases[i].size, cases[i].step->template in<T>().name});
        }
    }
};

// The step that makes `makes`; if there are several, the one with this function.
template <class T>
const Step* find_step(const Graph& network, const std::string& makes, const std::string& function) {
    for (const Step* step : all_steps(network)) {
        if (step->makes == makes && step->in<T>().name == function) {
            return step;
        }
    }
    return byhand::find_step(network, makes);
}

constexpr std::chrono::milliseconds kHanging{250};
constexpr std::size_t kFewTries = 80;
constexpr std::size_t kElementsTried = 10'000'000;

// Of an input to shrink: the fewer, the more elements it has.
std::size_t tries_for(const StepInput& input) {
    const std::size_t elements = input.exact.size() + input.values->elements();
    return std::clamp(kElementsTried / (elements + 1), kFewTries, Shrinking().tries);
}

// A wrong result, and where it was seen.
struct Seen {
    NetworkSize size;
    const StepInput* input;
    Made made;
};

// A wrong result of the battery in another shape than the one shown. None if there is no battery, or if the few first
// of its cases are right there.
std::optional<Seen> seen_elsewhere(const IsolatedStep& step, const Manner& manner, const Shown& shown, bool in_double,
                                   const std::function<Made(const NetworkSize&, const StepInput&)>& run) {
    constexpr std::size_t kFewCases = 12;
    if (manner.isolation.battery == nullptr) {
        return std::nullopt;
    }
    std::size_t runs = 0;
    const std::vector<NetworkSize>& sizes = manner.isolation.battery->sizes();
    for (const BatteryCase& one : manner.isolation.battery->cases(step.makes, step.reads, in_double)) {
        const NetworkSize& size = sizes[one.size];
        const bool is_odd = size.rows > 2 && size.rows != shown.size.rows && size.rows % 2 == 1;
        if (!is_odd || one.input.exact == shown.input->exact) {
            continue;
        }
        Made made = run(size, one.input);
        if (made.trial.verdict == Verdict::mismatch && made.trial.note.empty()) {
            return Seen{size, &one.input, std::move(made)};
        }
        if (++runs == kFewCases) {
            break;
        }
    }
    return std::nullopt;
}

// Names the mistake, by the case that shows it and by another. A hint about every element must hold in both.
void name_mistake(const IsolatedStep& result, Trial& telling, const Manner& manner, const Shown& shown,
                  const std::function<Made(const NetworkSize&, const StepInput&)>& run) {
    const Leeway leeway = shown.function == manner.right ? Leeway::none : manner.isolation.leeway;
    std::vector<Seen> seen = {{shown.size, shown.input, run(shown.size, *shown.input)}};
    if (std::optional<Seen> other = seen_elsewhere(result, manner, shown, result.only_in_double(), run)) {
        const std::string& hint = other->made.trial.hint;
        if (general_part(telling.hint) != general_part(hint) && !general_part(telling.hint).empty()) {
            telling.hint.clear();
        }
        seen.push_back(std::move(*other));
    }
    std::vector<Graph> networks;
    std::vector<std::vector<double>> limits;
    for (const Seen& one : seen) {
        networks.push_back(manner.isolation.right_at_size(one.size.network, one.size.rows));
        limits.push_back(limits_of<float>(*one.input, leeway));
    }
    std::vector<Evidence> evidence;
    evidence.reserve(seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
        evidence.push_back({networks[i], *seen[i].input, seen[i].made.numbers, limits[i]});
    }
    byhand::name_mistake(telling, result.makes, evidence);
}

// Runs a culprit again on the case that shows the mistake, and finds the planted mistake with the same result and the
// smallest input.
void explain(IsolatedStep& result, Trial& telling, const Manner& manner, const Shown& shown, bool makes_small) {
    const bool in_double = result.only_in_double();
    // The time limit of a function that does not return is reduced for the smaller inputs.
    const bool hangs = is_time_out(telling.note);
    Isolation isolation = manner.isolation;
    isolation.external.threads = false;
    if (hangs) {
        isolation.external.limits.timeout = std::min(isolation.external.limits.timeout, kHanging);
    }
    const Manner again{isolation, manner.right};
    const auto run = [&](const NetworkSize& at, const StepInput& input) {
        const Graph network = manner.isolation.at_size(at.network, at.rows);
        const auto in = [&]<class T>(T) {
            const Step* step = find_step<T>(network, result.makes, shown.function);
            return step != nullptr && step->in<T>().run ? made_of<T>(*step, input, at, again) : Made();
        };
        return in_double ? in(double()) : in(float());
    };
    if (telling.verdict == Verdict::mismatch && telling.note.empty()) {
        name_mistake(result, telling, manner, shown, run);
    }
    if (telling.verdict == Verdict::unwritten && telling.note.empty()) {
        const Made made = run(shown.size, *shown.input);
        std::vector<View> reads = shown.input->values->views();  // also what the reference operation reads
        std::erase_if(
            reads, [&](const View& view) { return std::ranges::find(result.reads, view.name) == result.reads.end(); });
        telling.hint = unwritten_hint(made.numbers, telling.shape.empty() ? result.shape : telling.shape, reads);
    }
    if (makes_small && manner.isolation.battery != nullptr) {
        telling.smallest = shrink(result.makes, result.reads, shown.size, *shown.input->values,
                                  {.make = manner.isolation.battery->make_form(),
                                   .run = run,
                                   .tries = hangs ? kFewTries : tries_for(*shown.input),
                                   .in_double = in_double});
    }
}

// A fault that does not recur on these values does not depend on them: it is reported as one on the batch.
void put_on_batch(IsolatedStep& result, const Trial& fault) {
    Trial trial = fault;
    trial.on.clear();
    trial.shape.clear();
    result.real = std::move(trial);
}

// Explains a wrong step. `input_of` makes the step input of the batch or of random values, in float or in double.
void explain(IsolatedStep& result, const Manner& manner,
             const std::function<const StepInput&(bool on_batch, bool in_double)>& input_of, const NetworkSize& own,
             const std::vector<Shown>& battery, bool makes_small) {
    Trial* telling = nullptr;
    for (Trial* trial : {&result.real, &result.probe, &result.real_double, &result.probe_double}) {
        telling = trial == result.telling() ? trial : telling;
    }
    if (telling != nullptr) {
        const StepInput& input = input_of(!result.not_on_batch(), result.only_in_double());
        explain(result, *telling, manner, {&input, own, result.function}, makes_small);
    } else {
        const auto place = static_cast<std::size_t>(result.telling() - result.battery.data());
        telling = &result.battery[place];
        explain(result, *telling, manner, battery[place], makes_small);
    }
    if (makes_small && result.not_on_batch() && !telling->note.empty() && telling->smallest == nullptr) {
        put_on_batch(result, *telling);
    }
}

}  // namespace

bool IsolatedStep::wrong() const {
    return telling() != nullptr;
}

const Trial* IsolatedStep::telling() const {
    for (const Trial* trial : {&real, &probe, &real_double, &probe_double}) {
        if (fails(trial->verdict)) {
            return trial;
        }
    }
    const auto failing = std::ranges::find_if(battery, fails, &Trial::verdict);
    return failing != battery.end() ? &*failing : nullptr;
}

Verdict IsolatedStep::verdict() const {
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

// NOLINTNEXTLINE(readability-function-cognitive-complexity): what is left out, run and explained, in order
std::vector<IsolatedStep> run_isolated(const Graph& network, const Isolation& isolation,
                                       const ReferenceOperations& reference_operations, StepInputs& inputs,
                                       bool once_only, const std::function<void()>& begins) {
    const std::vector<std::string> known = reference_operations.names();
    const bool has_battery = once_only && isolation.battery != nullptr;
    const std::vector<Graph> sizes = has_battery ? at_sizes(isolation) : std::vector<Graph>();
    std::vector<IsolatedStep> results;
    Mixed<float> floats;
    Mixed<double> doubles;
    for (const Step* step : all_steps(network)) {
        const Step* right = find_step(isolation.right, step->makes);
        if (right == nullptr || std::ranges::find(known, step->makes) == known.end()) {
            continue;
        }
        if (begins) {
            begins();
        }
        IsolatedStep result{step->makes, step->in_float.name, step->reads, {}, {}, {}, {}, step->shape};
        const auto input_of = [&](bool on_batch, bool in_double) -> const StepInput& {
            return on_batch ? inputs.real(*right, step->reads, reference_operations, in_double)
                            : inputs.probe(*right, step->reads, reference_operations, in_double);
        };
        const Manner manner{isolation, right->rounded.name};
        const NetworkSize own{isolation.right.config, network.rows};
        OnBattery on_battery{result.battery};
        const bool has_double = once_only && step->in_double.run;
        // All calls of an external function share a subprocess; ours run on the battery only if the first two are
        // right.
        const bool is_external = manner.is_external(*step);
        const std::vector<BatteryCase> wide = has_battery && is_external
                                                  ? isolation.battery->wide_case(step->makes, step->reads)
                                                  : std::vector<BatteryCase>();
        const auto on_sizes = [&]<class T>(T) {
            if (!has_battery) {
                return std::vector<Case<T>>();
            }
            const auto& battery = isolation.battery->cases(step->makes, step->reads, std::is_same_v<T, double>);
            return battery_cases<T>(battery, sizes, step->makes, step->in<T>().name);
        };
        const auto first_cases = [&]<class T>(T in) {
            constexpr bool kInDouble = std::is_same_v<T, double>;
            std::vector<Case<T>> cases = {{step, &input_of(true, kInDouble), own},
                                          {step, &input_of(false, kInDouble), own}};
            if (is_external) {
                std::ranges::move(on_sizes(in), std::back_inserter(cases));
                if (!kInDouble) {
                    const std::vector<Case<T>> more = battery_cases<T>(wide, sizes, step->makes, step->in<T>().name);
                    cases.insert(cases.end(), more.begin(), more.end());
                }
            }
            return cases;
        };
        const auto take = [&]<class T>(const std::vector<Case<T>>& cases, std::vector<CallResult<T>> made,
                                       Mixed<T>& mixed, Trial& on_real, Trial& on_probe) {
            const std::vector<Trial> trials = trials_of(made, cases, manner);
            on_real = trials[0];
            on_probe = trials.size() > 1 ? trials[1] : trials[0];
            on_battery.append(trials, cases, 2);
            if (is_external && std::ranges::none_of(trials, fails, &Trial::verdict)) {
                mixed.add(results.size(), cases, std::move(made));
            }
        };
        const std::vector<Case<float>> in_float = first_cases(float());
        const std::vector<Case<double>> in_double = has_double ? first_cases(double()) : std::vector<Case<double>>();
        CallConfig config = isolation.external;
        config.in_a_row = has_battery;
        ResultsOfBoth made = run_both(calls_of(in_float), calls_of(in_double), is_external, config);
        take(in_float, std::move(made.in_float), floats, result.real, result.probe);
        result.real_double = result.real;
        result.probe_double = result.probe;
        if (has_double && was_called(made.in_double.front())) {
            take(in_double, std::move(made.in_double), doubles, result.real_double, result.probe_double);
        }
        if (!is_external && !result.wrong()) {
            const auto append = [&](auto in) {
                const auto cases = on_sizes(in);
                const std::vector<Call<decltype(in)>> calls = calls_of(cases);
                on_battery.append(trials_of(run_calls(calls, {.in_a_row = true}), cases, manner), cases);
            };
            append(float());
            if (has_double) {
                append(double());
            }
        }
        if (isolation.leeway == Leeway::words && step->in_float.name != right->rounded.name && !result.wrong()) {
            result.rounding = limits_of<float>(input_of(true, false), isolation.leeway);
            for (double& rounding : result.rounding) {
                rounding *= result.real.used.value_or(0);
            }
        }
        if (result.wrong() && isolation.right_at_size && isolation.at_size) {
            explain(result, manner, input_of, own, on_battery.shown, once_only);
        }
        results.push_back(std::move(result));
    }
    floats.run(isolation.external, results);
    doubles.run(isolation.external, results);
    return results;
}

}  // namespace byhand
