#include "harness/isolated/diagnose.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "harness/isolated/hints.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/shrink.h"

namespace byhand {
namespace {

// Runs a step on a step input, in a network of its size.
template <class T>
StepResult made_of(const Step& step, const StepInput& input, const NetworkSize& size, const Manner& manner) {
    const std::vector<Call<T>> call = {{&step, input.values.get()}};
    const CallResult<T> result =
        run_calls<T>(call, manner.is_external(step) ? manner.isolation.external : CallConfig()).front();
    return {trial_of(result, StepRun{&step, &input, size}, manner.leeway<T>(step)),
            {result.made.begin(), result.made.end()}};
}

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

using Run = std::function<StepResult(const NetworkSize&, const StepInput&)>;

// A case of the battery in another shape than the one shown on which the result is wrong too, with that result; null if
// there is no battery, or if the few first of its cases are right there.
std::pair<const BatteryCase*, StepResult> wrong_elsewhere(const IsolatedStep& step, Battery* battery,
                                                          const StepRun& shown, const Run& run) {
    constexpr std::size_t kFewCases = 12;
    if (battery == nullptr) {
        return {};
    }
    std::size_t runs = 0;
    for (const BatteryCase& one : battery->cases(step.makes, step.reads, step.only_in_double())) {
        const NetworkSize& size = battery->sizes()[one.size];
        const bool is_odd = size.rows > 2 && size.rows != shown.size.rows && size.rows % 2 == 1;
        if (!is_odd || one.input.exact == shown.input->exact) {
            continue;
        }
        StepResult made = run(size, one.input);
        if (made.trial.verdict == Verdict::mismatch && made.trial.note.empty()) {
            return {&one, std::move(made)};
        }
        if (++runs == kFewCases) {
            break;
        }
    }
    return {};
}

// Names the mistake, by the case that shows it and by another. A hint about every element must hold in both.
void name_mistake(const IsolatedStep& result, Trial& telling, const Manner& manner, const StepRun& shown,
                  const Run& run) {
    const Isolation& isolation = manner.isolation;
    const Leeway leeway =
        result.only_in_double() ? manner.leeway<double>(*shown.step) : manner.leeway<float>(*shown.step);
    std::vector<Evidence> evidence;
    const auto add = [&](const NetworkSize& size, const StepInput& input, const StepResult& made) {
        evidence.push_back(
            {isolation.form.make_graph(size.network, size.rows), input, made.numbers, limits_of<float>(input, leeway)});
    };
    add(shown.size, *shown.input, run(shown.size, *shown.input));
    const auto [other, made] = wrong_elsewhere(result, isolation.battery.get(), shown, run);
    if (other != nullptr) {
        if (general_part(telling.hint) != general_part(made.trial.hint) && !general_part(telling.hint).empty()) {
            telling.hint.clear();
        }
        add(isolation.battery->sizes()[other->size], other->input, made);
    }
    byhand::name_mistake(telling, result.makes, evidence, isolation.mistakes);
}

// Runs a culprit again on the case that shows the mistake, and finds the planted mistake with the same result and the
// smallest input.
void diagnose(IsolatedStep& result, Trial& telling, const Manner& manner, const StepRun& shown, bool makes_small) {
    const bool in_double = result.only_in_double();
    // The time limit of a function that does not return is reduced for the smaller inputs.
    const bool hangs = is_time_out(telling.note);
    Isolation isolation = manner.isolation;
    isolation.external.threads = false;
    if (hangs) {
        isolation.external.limits.timeout = std::min(isolation.external.limits.timeout, kHanging);
    }
    const Manner again{isolation, manner.right};
    const Run run = [&](const NetworkSize& at, const StepInput& input) {
        const Graph network = manner.isolation.judged_at_size(at.network, at.rows);
        const auto in = [&]<class T>(T) {
            const Step* step = find_step<T>(network, result.makes, shown.step->in<T>().name);
            return step != nullptr && step->in<T>().run ? made_of<T>(*step, input, at, again) : StepResult();
        };
        return in_double ? in(double()) : in(float());
    };
    if (telling.verdict == Verdict::mismatch && telling.note.empty()) {
        name_mistake(result, telling, manner, shown, run);
    }
    if (telling.verdict == Verdict::unwritten && telling.note.empty()) {
        const StepResult made = run(shown.size, *shown.input);
        std::vector<View> reads = shown.input->values->views();  // also what the reference operation reads
        std::erase_if(
            reads, [&](const View& view) { return std::ranges::find(result.reads, view.name) == result.reads.end(); });
        telling.hint = unwritten_hint(made.numbers, telling.shape.empty() ? result.shape : telling.shape, reads);
    }
    if (makes_small && manner.isolation.battery != nullptr) {
        telling.smallest = shrink(result.makes, result.reads, shown.size, *shown.input->values,
                                  {.form = manner.isolation.form,
                                   .run = run,
                                   .tries = hangs ? kFewTries : tries_for(*shown.input),
                                   .in_double = in_double});
    }
}

}  // namespace

void diagnose(IsolatedStep& result, const Manner& manner, const std::vector<StepRun>& runs, bool makes_small) {
    const auto place = static_cast<std::size_t>(result.telling() - result.trials.data());
    Trial& telling = result.trials[place];
    diagnose(result, telling, manner, runs[place], makes_small);
    if (makes_small && result.not_on_batch() && !telling.note.empty() && telling.smallest == nullptr) {
        Trial fault = telling;  // does not depend on these values: it is reported as one on the batch
        fault.input = TrialInput::batch;
        fault.on.clear();
        fault.shape.clear();
        result.trials.front() = std::move(fault);
    }
}

}  // namespace byhand
