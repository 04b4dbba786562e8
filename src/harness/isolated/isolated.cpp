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
                                 TrialInput::battery,
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

    // Appends a trial to each step whose result differs.
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
            trial.input = TrialInput::battery;
            trial.in_double = std::is_same_v<T, double>;
            trial.on = on_[i].on;
            trial.shape = calls_[i].step->shape;
            step.trials.push_back(std::move(trial));
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

// A step, and how it is judged.
struct Subject {
    const Step& step;
    const Step& right;
    Manner manner;
    std::vector<BatteryCase> wide;  // of the battery, which does not keep it

    bool is_external() const { return manner.is_external(step); }
};

// The steps of a network in isolation, one after another.
class IsolatedSteps {
public:
    IsolatedSteps(const Isolation& isolation, const ReferenceOperations& reference_operations, StepInputs& inputs,
                  std::size_t rows, bool once_only)
        : isolation_(isolation),
          reference_operations_(reference_operations),
          inputs_(inputs),
          own_{isolation.right.config, rows},
          once_only_(once_only),
          sizes_(has_battery() ? at_sizes(isolation) : std::vector<Graph>()) {}

    void judge(const Step& step, const Step& right) {
        Subject subject{step, right, {isolation_, right.rounded.name}, {}};
        if (has_battery() && subject.is_external()) {
            subject.wide = isolation_.battery->wide_case(step.makes, step.reads);
        }
        result_ = {step.makes, step.in_float.name, step.reads, step.shape};
        cases_.clear();
        run(subject, first_runs<float>(subject), first_runs<double>(subject));
        explain(subject);
        results_.push_back(std::move(result_));
    }

    // After all steps have been judged.
    std::vector<IsolatedStep> results() {
        floats_.run(isolation_.external, results_);
        doubles_.run(isolation_.external, results_);
        return std::move(results_);
    }

private:
    bool has_battery() const { return once_only_ && isolation_.battery != nullptr; }

    // ---- inputs ----

    const StepInput& own_input(const Subject& subject, TrialInput kind, bool in_double) {
        const auto made = kind == TrialInput::batch ? &StepInputs::real : &StepInputs::probe;
        return (inputs_.*made)(subject.right, subject.step.reads, reference_operations_, in_double);
    }

    template <class T>
    std::vector<StepRun<T>> battery_runs(const Subject& subject) {
        const Step& step = subject.step;
        if (!has_battery() || !runs_in<T>(step)) {
            return {};
        }
        const auto& cases = isolation_.battery->cases(step.makes, step.reads, std::is_same_v<T, double>);
        return battery_cases<T>(cases, sizes_, step.makes, step.in<T>().name);
    }

    template <class T>
    bool runs_in(const Step& step) const {
        return std::is_same_v<T, float> || (once_only_ && step.in_double.run);
    }

    // On the batch and on random values. All calls of an external function share a subprocess, also those on the
    // battery; ours run on that only if these two are right.
    template <class T>
    std::vector<StepRun<T>> first_runs(const Subject& subject) {
        const Step& step = subject.step;
        if (!runs_in<T>(step)) {
            return {};
        }
        std::vector<StepRun<T>> runs;
        for (const TrialInput kind : {TrialInput::batch, TrialInput::random}) {
            runs.push_back({&step, &own_input(subject, kind, std::is_same_v<T, double>), own_, kind});
        }
        if (subject.is_external()) {
            std::ranges::move(battery_runs<T>(subject), std::back_inserter(runs));
            if constexpr (std::is_same_v<T, float>) {
                std::ranges::move(battery_cases<T>(subject.wide, sizes_, step.makes, step.in_float.name),
                                  std::back_inserter(runs));
            }
        }
        return runs;
    }

    // ---- runs ----

    void run(const Subject& subject, const std::vector<StepRun<float>>& in_float,
             const std::vector<StepRun<double>>& in_double) {
        CallConfig config = isolation_.external;
        config.in_a_row = has_battery();
        ResultsOfBoth made = run_both(calls_of(in_float), calls_of(in_double), subject.is_external(), config);
        const std::vector<Trial> floats = trials_of(made.in_float, in_float, subject.manner);
        std::vector<Trial> doubles;
        if (!in_double.empty() && was_called(made.in_double.front())) {
            doubles = trials_of(made.in_double, in_double, subject.manner);
        }
        add_first(floats, in_float);
        add_first(doubles, in_double);
        add(floats, in_float, kFirst);
        add(doubles, in_double, kFirst);
        mix(subject, floats, in_float, std::move(made.in_float), floats_);
        mix(subject, doubles, in_double, std::move(made.in_double), doubles_);
        if (!subject.is_external() && !result_.wrong()) {
            add_battery<float>(subject);
            add_battery<double>(subject);
        }
    }

    template <class T>
    void add(const std::vector<Trial>& trials, const std::vector<StepRun<T>>& runs, std::size_t begin,
             std::size_t end = ~std::size_t{0}) {
        for (std::size_t i = begin; i < std::min(trials.size(), end); ++i) {
            result_.trials.push_back(trials[i]);
            cases_.push_back({runs[i].input, runs[i].size, runs[i].step->template in<T>().name});
        }
    }

    // A function that ends its process on the batch has the same fault on random values.
    template <class T>
    void add_first(const std::vector<Trial>& trials, const std::vector<StepRun<T>>& runs) {
        add(trials, runs, 0, kFirst);
        if (trials.size() == 1) {
            add(trials, runs, 0);
            result_.trials.back().input = TrialInput::random;
        }
    }

    template <class T>
    void mix(const Subject& subject, const std::vector<Trial>& trials, const std::vector<StepRun<T>>& runs,
             std::vector<CallResult<T>> made, MixedCalls<T>& mixed) {
        if (subject.is_external() && !trials.empty() && std::ranges::none_of(trials, fails, &Trial::verdict)) {
            mixed.add(results_.size(), runs, std::move(made));
        }
    }

    template <class T>
    void add_battery(const Subject& subject) {
        const std::vector<StepRun<T>> runs = battery_runs<T>(subject);
        const std::vector<Call<T>> calls = calls_of(runs);
        add(trials_of(run_calls(calls, {.in_a_row = true}), runs, subject.manner), runs, 0);
    }

    // ---- explanation ----

    void explain(const Subject& subject) {
        const bool has_other_words =
            isolation_.leeway == Leeway::words && subject.step.in_float.name != subject.right.rounded.name;
        if (has_other_words && !result_.wrong()) {
            result_.rounding = limits_of<float>(own_input(subject, TrialInput::batch, false), isolation_.leeway);
            for (double& rounding : result_.rounding) {
                rounding *= result_.on_batch().used.value_or(0);
            }
        }
        if (result_.wrong() && isolation_.right_at_size && isolation_.at_size) {
            diagnose(result_, subject.manner, cases_, once_only_);
        }
    }

    static constexpr std::size_t kFirst = 2;  // trials, on the batch and on random values

    const Isolation& isolation_;
    const ReferenceOperations& reference_operations_;
    StepInputs& inputs_;
    NetworkSize own_;
    bool once_only_;
    std::vector<Graph> sizes_;
    // Of the step that is judged.
    IsolatedStep result_;
    std::vector<TrialCase> cases_;  // of each trial
    std::vector<IsolatedStep> results_;
    MixedCalls<float> floats_;
    MixedCalls<double> doubles_;
};

}  // namespace

const Trial& IsolatedStep::first_on(TrialInput input) const {
    static const Trial none = [] {
        Trial trial;
        trial.verdict = Verdict::not_given;
        return trial;
    }();
    const auto found = std::ranges::find(trials, input, &Trial::input);
    return found != trials.end() ? *found : none;
}

const Trial* IsolatedStep::telling() const {
    const auto failing = std::ranges::find_if(trials, fails, &Trial::verdict);
    return failing != trials.end() ? &*failing : nullptr;
}

Verdict IsolatedStep::verdict() const {
    if (const Trial* trial = telling()) {
        return trial->verdict;
    }
    const Verdict real = on_batch().verdict, random = on_random().verdict;
    if (real == Verdict::out_of_range || random == Verdict::out_of_range) {
        return Verdict::out_of_range;
    }
    if (random == Verdict::not_given) {
        return real;
    }
    if (random == Verdict::vacuous) {
        return Verdict::vacuous;
    }
    return real == Verdict::exact && random == Verdict::exact ? Verdict::exact : Verdict::within;
}

std::vector<IsolatedStep> run_isolated(const Graph& network, const Isolation& isolation,
                                       const ReferenceOperations& reference_operations, StepInputs& inputs,
                                       bool once_only, const std::function<void()>& begins) {
    const std::vector<std::string> known = reference_operations.names();
    IsolatedSteps steps(isolation, reference_operations, inputs, network.rows, once_only);
    for (const Step* step : all_steps(network)) {
        const Step* right = find_step(isolation.right, step->makes);
        if (right == nullptr || std::ranges::find(known, step->makes) == known.end()) {
            continue;
        }
        if (begins) {
            begins();
        }
        steps.judge(*step, *right);
    }
    return steps.results();
}

}  // namespace byhand
