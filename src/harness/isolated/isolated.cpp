#include "harness/isolated/isolated.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/isolated/diagnose.h"
#include "harness/limits/monte_carlo.h"

namespace byhand {

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

template <class T>
Trial trial_of(const CallResult<T>& result, const StepRun& one, Leeway leeway) {
    const NetworkConfig& network = one.size.network;
    const std::size_t n = one.size.rows * operations(network).at(one.step->operation).positions;
    std::vector<double> limits = limits_of<T>(*one.input, leeway);
    RightResult right{
        one.step->makes,    one.step->shape, one.input->exact, limits, [&] { return extents_of(network, n); },
        one.input->of_class};
    // A mask that is a product makes a NaN of one that it masks, a difference one of infinities that cancel.
    for (std::size_t i = 0; i < std::min({result.made.size(), limits.size(), right.of_class.size()}); ++i) {
        const double made = result.made[i];
        limits[i] = std::isfinite(made) ? limits[i] : std::numeric_limits<double>::infinity();
        right.of_class[i] = right.of_class[i] && (!std::isnan(made) || std::isnan(one.input->exact[i]));
    }
    Trial trial = trial_of(result, right);
    trial.input = one.kind;
    if (!one.on.empty()) {
        trial.on = one.on;
        trial.by = one.by;
        trial.shape = one.step->shape;
    }
    return trial;
}

template std::vector<double> limits_of<float>(const StepInput&, Leeway);
template std::vector<double> limits_of<double>(const StepInput&, Leeway);
template Trial trial_of(const CallResult<float>&, const StepRun&, Leeway);
template Trial trial_of(const CallResult<double>&, const StepRun&, Leeway);

namespace {

template <class T>
std::vector<Call<T>> calls_of(const std::vector<StepRun>& runs) {
    std::vector<Call<T>> calls;
    calls.reserve(runs.size());
    for (const StepRun& one : runs) {
        calls.push_back({one.step, one.input->values.get()});
    }
    return calls;
}

// External functions in one process, where they share memory: some of their cases of the battery, with their results
// when no other function is called.
template <class T>
class MixedCalls {
public:
    // `runs` belong to the step whose result is at `place`; those of the battery begin at 2.
    void add(std::size_t place, const std::vector<StepRun>& runs, std::vector<CallResult<T>> results) {
        constexpr std::size_t kMost = 3;
        for (std::size_t i = 2; i < std::min(runs.size(), 2 + kMost); ++i) {
            runs_.push_back(runs[i]);
            made_.push_back(std::move(results[i].made));
            places_.push_back(place);
        }
    }

    // Appends a trial to each step whose result differs.
    void run(const CallConfig& config, std::vector<IsolatedStep>& steps) {
        std::vector<Call<T>> calls = calls_of<T>(runs_);
        for (std::size_t i = 0; i < calls.size(); ++i) {
            calls[i].expected = &made_[i];
        }
        CallConfig once = config;
        once.threads = once.in_a_row = false;
        const std::vector<CallResult<T>> results = run_calls<T>(calls, once);
        for (std::size_t i = 0; i < results.size(); ++i) {
            IsolatedStep& step = steps[places_[i]];
            if (results[i].fault.empty() || step.wrong()) {
                continue;
            }
            Trial trial = trial_of(CallResult<T>{{}, results[i].fault, {}}, runs_[i], Leeway::none);
            const auto other = std::ranges::find_if(calls, [&](const Call<T>& before) {
                return before.step != calls[i].step && run_calls<T>({before, calls[i]}, once)[1].fault == trial.note;
            });
            if (other != calls.end()) {
                trial.note += ", such as " + other->step->template in<T>().name;
            }
            step.trials.push_back(std::move(trial));
        }
    }

private:
    std::vector<StepRun> runs_;
    std::deque<std::vector<T>> made_;
    std::vector<std::size_t> places_;
};

// A step that is judged, with the run of each of its trials.
struct Judged {
    IsolatedStep step;
    const Manner& manner;
    bool is_external = false;
    std::vector<StepRun> runs_of_trials = {};

    // The trials of these runs from `begin` to before `end`, as far as they were made; at least one in float. A
    // function that ends its process on the batch's values has the same fault on random ones.
    template <class T>
    void append(const std::vector<CallResult<T>>& results, const std::vector<StepRun>& runs, std::size_t begin,
                std::size_t end = ~std::size_t{0}) {
        for (std::size_t i = begin; i < std::min(results.size(), end); ++i) {
            constexpr bool kInDouble = std::is_same_v<T, double>;
            const bool was_made = results[i].was_made() || (i == 0 && !kInDouble);
            if (!was_made && (i != 1 || step.trials.empty() || step.trials.back().in_double != kInDouble)) {
                return;
            }
            step.trials.push_back(was_made ? trial_of(results[i], runs[i], manner.leeway<T>(*runs[i].step))
                                           : step.trials.back());
            step.trials.back().input = runs[i].kind;
            runs_of_trials.push_back(runs[i]);
        }
    }
};

// The steps of a network in isolation, one after another.
class IsolatedSteps {
public:
    IsolatedSteps(const Isolation& isolation, StepInputs& inputs, std::size_t rows, bool once_only)
        : isolation_(isolation), inputs_(inputs), own_{isolation.right.graph.config, rows}, once_only_(once_only) {
        for (std::size_t i = 0; has_battery() && i < isolation.battery->sizes().size(); ++i) {
            const NetworkSize& size = isolation.battery->sizes()[i];
            sizes_.push_back(isolation.judged_at_size(size.network, size.rows));
        }
    }

    void judge(const Step& step, const Step& right) {
        const Manner manner{isolation_, right.rounded.name};
        const bool is_external = manner.is_external(step);
        // All calls of an external function share a subprocess; ours run on the battery only if they are right on the
        // batch and on random values.
        std::vector<StepRun> in_float = own_runs<float>(step, right);
        std::vector<StepRun> in_double = own_runs<double>(step, right);
        std::vector<BatteryCase> wide;
        if (is_external && has_battery()) {
            wide = isolation_.battery->wide_case(step.makes, step.reads);
            append<float>(in_float, isolation_.battery->cases(step.makes, step.reads, false), step);
            append<float>(in_float, wide, step);
            append<double>(in_double, isolation_.battery->cases(step.makes, step.reads, true), step);
        }
        Judged judged{{step.makes, step.in_float.name, step.reads, step.shape}, manner, is_external};
        run(judged, in_float, in_double);
        explain(judged, step, right);
        results_.push_back(std::move(judged.step));
    }

    // After all steps have been judged.
    std::vector<IsolatedStep> results() {
        floats_.run(isolation_.external, results_);
        doubles_.run(isolation_.external, results_);
        return std::move(results_);
    }

private:
    bool has_battery() const { return once_only_ && isolation_.battery != nullptr; }

    // On the batch and on random values. None if the step has no such function.
    template <class T>
    std::vector<StepRun> own_runs(const Step& step, const Step& right) {
        constexpr bool kInDouble = std::is_same_v<T, double>;
        if (kInDouble && !(once_only_ && step.in_double.run)) {
            return {};
        }
        const ReferenceOperations& operations = *isolation_.right.reference_operations;
        std::vector<StepRun> runs;
        for (const TrialInput kind : {TrialInput::batch, TrialInput::random}) {
            runs.push_back({&step, &inputs_.of(kind, right, step.reads, operations, kInDouble), own_, kind});
        }
        return runs;
    }

    // Of every step that makes the same value at the cases' sizes.
    template <class T>
    void append(std::vector<StepRun>& runs, const std::vector<BatteryCase>& cases, const Step& judged) const {
        for (const BatteryCase& one : cases) {
            const Graph& network = sizes_[one.size];
            for (const Step* step : all_steps(network)) {
                if (step->makes == judged.makes && step->in<T>().run) {
                    // "simd::exp_forward (AVX2)": the function, and on which vectors.
                    const std::string& full = step->in<T>().name;
                    const std::size_t end = std::min(full.find(" ("), full.size());
                    const std::string by = full.substr(0, end);
                    runs.push_back({step,
                                    &one.input,
                                    {network.config, network.rows},
                                    TrialInput::battery,
                                    one.on + full.substr(end),
                                    by != judged.in<T>().name ? by : ""});
                }
            }
        }
    }

    // Adds the trials of these runs, and on the battery if all are right.
    void run(Judged& judged, const std::vector<StepRun>& in_float, const std::vector<StepRun>& in_double) {
        constexpr std::size_t kOwn = 2;  // on the batch and on random values
        CallConfig config = isolation_.external;
        config.in_a_row = has_battery();
        const std::vector<Call<float>> floats = calls_of<float>(in_float);
        const std::vector<Call<double>> doubles = calls_of<double>(in_double);
        ResultsOfBoth made = judged.is_external ? config.subprocess(floats, doubles, config)
                                                : ResultsOfBoth{run_calls(floats, {}), run_calls(doubles, {})};
        judged.append(made.in_float, in_float, 0, kOwn);
        judged.append(made.in_double, in_double, 0, kOwn);
        judged.append(made.in_float, in_float, kOwn);
        judged.append(made.in_double, in_double, kOwn);
        if (judged.is_external) {
            mix(judged, in_float, std::move(made.in_float), floats_);
            mix(judged, in_double, std::move(made.in_double), doubles_);
        } else if (has_battery() && !judged.step.wrong()) {
            run_battery<float>(judged, *in_float.front().step);
            if (!in_double.empty()) {
                run_battery<double>(judged, *in_double.front().step);
            }
        }
    }

    template <class T>
    void run_battery(Judged& judged, const Step& step) {
        std::vector<StepRun> runs;
        append<T>(runs, isolation_.battery->cases(step.makes, step.reads, std::is_same_v<T, double>), step);
        judged.append(run_calls<T>(calls_of<T>(runs), {.in_a_row = true}), runs, 0);
    }

    template <class T>
    void mix(const Judged& judged, const std::vector<StepRun>& runs, std::vector<CallResult<T>> made,
             MixedCalls<T>& mixed) {
        const auto is_wrong = [](const Trial& one) {
            return one.in_double == std::is_same_v<T, double> && fails(one.verdict);
        };
        if (!made.empty() && made.front().was_made() && std::ranges::none_of(judged.step.trials, is_wrong)) {
            mixed.add(results_.size(), runs, std::move(made));
        }
    }

    void explain(Judged& judged, const Step& step, const Step& right) const {
        IsolatedStep& result = judged.step;
        if (isolation_.leeway == Leeway::words && step.in_float.name != right.rounded.name && !result.wrong()) {
            result.rounding = limits_of<float>(*judged.runs_of_trials.front().input, isolation_.leeway);
            for (double& rounding : result.rounding) {
                rounding *= result.on_batch().used.value_or(0);
            }
        }
        if (result.wrong() && isolation_.form.make_graph && isolation_.judged_at_size) {
            diagnose(result, judged.manner, judged.runs_of_trials, once_only_);
        }
    }

    const Isolation& isolation_;
    StepInputs& inputs_;
    NetworkSize own_;
    bool once_only_;
    std::vector<Graph> sizes_;  // the steps at each of the battery's sizes
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

std::vector<IsolatedStep> run_isolated(const Graph& network, const Isolation& isolation, StepInputs& inputs,
                                       bool once_only, const std::function<void()>& begins) {
    const std::vector<std::string> known = isolation.right.reference_operations->names();
    IsolatedSteps steps(isolation, inputs, network.rows, once_only);
    for (const Step* step : all_steps(network)) {
        const Step* right = find_step(isolation.right.graph, step->makes);
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
