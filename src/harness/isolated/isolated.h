// A step in isolation: run on specified inputs, and compared with the reference operation on the same inputs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/isolated/battery.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "harness/mistake.h"
#include "steps/step.h"

namespace byhand {

struct IsolatedStep {
    std::string makes, function;
    std::vector<std::string> reads;
    Shape shape = {};  // of its result

    // In the order in which they tell: on the batch's float values, on random ones, on both in double if the step has a
    // function in double, then those of the battery, which has none if one of the others fails.
    std::vector<Trial> trials = {};

    // The rounding of each element on the batch: the share of its limit that its largest error takes. For right
    // functions other than ours; else empty.
    std::vector<double> rounding = {};

    // The first trial on the batch, and on random values: one with Verdict::not_given if there is none.
    const Trial& on_batch() const { return first_on(TrialInput::batch); }
    const Trial& on_random() const { return first_on(TrialInput::random); }

    bool wrong() const { return telling() != nullptr; }  // culprit: some trial fails
    const Trial* telling() const;                        // the first that fails, or null
    bool only_in_double() const { return wrong() && telling()->in_double; }
    bool not_on_batch() const { return wrong() && telling()->input != TrialInput::batch; }
    // Of all trials: that of the first that fails; else out_of_range if one in float is; vacuous if that on random
    // values is. (The batch's may be zero in exact arithmetic; then those decide.)
    Verdict verdict() const;

private:
    const Trial& first_on(TrialInput input) const;
};

// How the rounding of a step may differ from the right one's: not at all; by the order of its sums (a SIMD kernel);
// also by an equivalent formula (external code).
enum class Leeway { none, order, words };

// An equivalent formula rounds more often than ours: a quotient as a product with the reciprocal, a constant that is
// rounded before it is used, an additional exp. Its rounding may be larger than ours by this factor.
inline constexpr double kOtherWords = 4;

// How a network's steps are run in isolation, and judged.
struct Isolation {
    SizedForm right;               // the steps as they should be, and their reference operations (not null)
    Leeway leeway = Leeway::none;  // of steps by other functions than the right ones
    CallConfig external = {};      // how those are called
    // Other values and sizes to run the steps on. May be null.
    std::shared_ptr<Battery> battery = nullptr;
    // The judged steps at each size, for the battery and to explain a culprit; if several make the same name, each is
    // run. May be empty without a battery.
    MakeGraph judged_at_size = {};
    // The right steps at each size, to explain a culprit: its result is compared with those of the known mistakes and,
    // with a battery, its input is shrunk. Empty: nothing is explained.
    Form form = {};
    KnownMistakes mistakes = {};
};

// Runs every step of `network` in isolation, in the order of its lists. `once_only`: also run what does not depend on
// the batch, that is, functions in double, if steps have them, and the battery. Steps without a reference operation or
// a right step are left out. `begins`, unless empty, is called before each.
std::vector<IsolatedStep> run_isolated(const Graph& network, const Isolation& isolation, StepInputs& inputs,
                                       bool once_only = true, const std::function<void()>& begins = {});

}  // namespace byhand
