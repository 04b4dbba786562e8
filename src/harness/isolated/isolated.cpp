#include "harness/isolated/isolated.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/isolated/cases.h"
#include "harness/isolated/diagnose.h"

namespace byhand {
namespace {

template <class T>
std::vector<Call<T>> calls_of(const std::vector<StepRun<T>>& cases) {
    std::vector<Call<T>> calls;
    calls.reserve(cases.size());
    for (const StepRun<T>& one : cases) {
        calls.push_back({one.step, one.input->values.get()});
    }
    return calls;
}

ResultsOfBoth run_both(const std::vector<Call<float>>& in_float, const std::vector<Call<double>>& in_double,
                       bool external, const CallConfig& config) {
    return external ? config.subprocess(in_float, in_double, config)
                    : ResultsOfBoth{run_calls(in_float, {}), run_calls(in_double, {})};
}

// False for the calls that were left when the subprocess ended.
template <class T>
bool was_called(const CallResult<T>& result) {
    return !result.made.empty() || !result.fault.empty();
}

// A trial for each case that was run. Empty only if there are no cases.
template <class T>
std::vector<Trial> trials_of(const std::vector<CallResult<T>>& results, const std::vector<StepRun<T>>& cases,
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
std::vector<StepRun<T>> battery_cases(const std::vector<BatteryCase>& battery, const std::vector<Graph>& sizes,
                                      const std::string& name, const std::string& function) {
    std::vector<StepRun<T>> cases;
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
class MixedCalls {
public:
    // `cases` belong to the step whose result is at `place`; those of the battery begin at 2.
    void add(std::size_t place, const std::vector<StepRun<T>>& cases, std::vector<CallResult<T>> results) {
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
struct BatteryTrials {
    std::vector<Trial>& trials;
    std::vector<TrialCase> shown = {};

    template <class T>
    void append(const std::vector<Trial>& more, const std::vector<StepRun<T>>& cases, std::size_t begin = 0) {
        for (std::size_t i = begin; i < more.size(); ++i) {
            trials.push_back(more[i]);
            shown.push_back({cases[i].input, cases[i].size, cases[i].step->template in<T>().name});
        }
    }
};

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
    MixedCalls<float> floats;
    MixedCalls<double> doubles;
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
        BatteryTrials on_battery{result.battery};
        const bool has_double = once_only && step->in_double.run;
        // All calls of an external function share a subprocess; ours run on the battery only if the first two are
        // right.
        const bool is_external = manner.is_external(*step);
        const std::vector<BatteryCase> wide = has_battery && is_external
                                                  ? isolation.battery->wide_case(step->makes, step->reads)
                                                  : std::vector<BatteryCase>();
        const auto on_sizes = [&]<class T>(T) {
            if (!has_battery) {
                return std::vector<StepRun<T>>();
            }
            const auto& battery = isolation.battery->cases(step->makes, step->reads, std::is_same_v<T, double>);
            return battery_cases<T>(battery, sizes, step->makes, step->in<T>().name);
        };
        const auto first_cases = [&]<class T>(T in) {
            constexpr bool kInDouble = std::is_same_v<T, double>;
            std::vector<StepRun<T>> cases = {{step, &input_of(true, kInDouble), own},
                                             {step, &input_of(false, kInDouble), own}};
            if (is_external) {
                std::ranges::move(on_sizes(in), std::back_inserter(cases));
                if (!kInDouble) {
                    const std::vector<StepRun<T>> more = battery_cases<T>(wide, sizes, step->makes, step->in<T>().name);
                    cases.insert(cases.end(), more.begin(), more.end());
                }
            }
            return cases;
        };
        const auto take = [&]<class T>(const std::vector<StepRun<T>>& cases, std::vector<CallResult<T>> made,
                                       MixedCalls<T>& mixed, Trial& on_real, Trial& on_probe) {
            const std::vector<Trial> trials = trials_of(made, cases, manner);
            on_real = trials[0];
            on_probe = trials.size() > 1 ? trials[1] : trials[0];
            on_battery.append(trials, cases, 2);
            if (is_external && std::ranges::none_of(trials, fails, &Trial::verdict)) {
                mixed.add(results.size(), cases, std::move(made));
            }
        };
        const std::vector<StepRun<float>> in_float = first_cases(float());
        const std::vector<StepRun<double>> in_double =
            has_double ? first_cases(double()) : std::vector<StepRun<double>>();
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
            diagnose(result, manner, input_of, own, on_battery.shown, once_only);
        }
        results.push_back(std::move(result));
    }
    floats.run(isolation.external, results);
    doubles.run(isolation.external, results);
    return results;
}

}  // namespace byhand
