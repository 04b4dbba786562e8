// A step in isolation: run on given values of all that it reads, and held against the reference's answer to the same
// question.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/reference_operations.h"
#include "harness/isolated/battery.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "steps/rounded.h"
#include "steps/step.h"

namespace byhand {

struct IsolatedStep {
    std::string makes, function;
    std::vector<std::string> reads;
    Trial real;         // on the reference's float values
    Trial probe;        // on random values
    Trial real_double;  // our double, held against double precision
    Trial probe_double;
    // Of what it makes.
    Shape shape = {};  // NOLINT(readability-redundant-member-init): it may be left out

    // On other values and sizes (battery.h), in float and in double; empty where those above fail.
    std::vector<Trial> battery = {};  // NOLINT(readability-redundant-member-init): it may be left out

    // What its own rounding may be on the batch, an element each: so much of its limit as its largest error takes. Of
    // other functions than ours that are right; else empty.
    std::vector<double> rounding = {};  // NOLINT(readability-redundant-member-init): it may be left out

    bool wrong() const;  // culprit: some trial is not in agreement
    // The first that is not: the batch's values before the probe's, and both before the battery's, float before double.
    // Null where none is.
    const Trial* telling() const;
    bool only_in_double() const {
        return telling() == &real_double || telling() == &probe_double || (wrong() && telling()->in_double);
    }
    bool not_on_batch() const { return wrong() && telling() != &real && telling() != &real_double; }
    // Of all trials together: of the first that is wrong; else out_of_range where one of the floats' is; vacuous where
    // the probe is (real values may well be zero, where exact arithmetic makes them so: then the probe decides).
    Verdict verdict() const;
};

// By how much a step may round otherwise than the right one does: not at all; in the order of its sums (a SIMD kernel);
// in its words as well (someone else's code).
enum class Leeway { none, order, words };

// The same step by an equivalent formula rounds more often than ours: a quotient as a product with the reciprocal, a
// constant that is rounded before it is used, an exp taken once more. Its rounding may be so many times ours.
inline constexpr double kOtherWords = 4;

// How a network's steps are run in isolation, and judged.
struct Isolation {
    Graph right;                   // the steps as they should be
    Leeway leeway = Leeway::none;  // of steps by another function than the right one
    CallConfig external = {};      // how those are run; NOLINT(readability-redundant-member-init)
    // Other values and sizes to run the steps on, and the steps at those sizes, where several may make one name: each
    // is run. May be null: then there are none.
    Battery* battery = nullptr;
    MakeGraph at_size = {};  // NOLINT(readability-redundant-member-init): it may be left out
    // The right network at each size: what a culprit makes is held against what planted mistakes make there. Where it
    // is given, the input of a culprit that is right on the batch is made small too. May be empty.
    MakeGraph right_at_size = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

// Runs every step of `network` in isolation, in the order of its lists; `once_only` says whether what need be seen only
// once is run too, whatever the batch: the functions in double, where steps have them, and the battery. Steps for
// which there is no answer or no right step are left out. `begins`, where it is not empty, is called before each.
std::vector<IsolatedStep> run_isolated(const Graph& network, const Isolation& isolation,
                                       const ReferenceOperations& reference_operations, StepInputs& inputs,
                                       bool once_only = true, const std::function<void()>& begins = {});

}  // namespace byhand
