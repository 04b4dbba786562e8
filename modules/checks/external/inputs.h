// What the steps of external values read: the external values, and what is known where some are missing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/reference_operations.h"
#include "byhand/rounded.h"
#include "harness/limits/monte_carlo.h"
#include "steps/step.h"

namespace byhand {

inline constexpr double kFloats = 0x1p-24;  // the largest relative change of a number that is saved as float

// What each list of the network makes.
struct Passes {
    std::set<std::string> forward, backward, update;
    // Intermediate results of the update (new_mhat_W1), and what follows from the state alone (new_step_count).
    std::set<std::string> derivable;

    explicit Passes(const Graph& network);

    // Gradients, and what the update makes of them: the external ones are not the reference's.
    bool made_later(const std::string& name) const { return backward.contains(name) || update.contains(name); }
};

// The inputs of a step: external, or derived from these, or the reference's with their possible error.
class Inputs {
public:
    Inputs(const std::vector<View>& given, const std::vector<View>& reference, const Limits& limits,
           const std::set<std::string>& in_double)
        : given_(given), reference_(reference), limits_(limits), in_double_(in_double) {}

    bool has(const std::string& name) const;
    bool has_or_derives(const std::string& name) const { return has(name) || derived_.contains(name); }
    // Whether it has no error: it is external, or belongs to the batch or to the state before the step.
    bool is_exact(const std::string& name) const {
        return has(name) || !(derived_.contains(name) || limits_.contains(name));
    }
    bool is_in_double(const std::string& name) const;

    // The external value, else the derived one, else the reference's.
    View view(const std::string& name) const;
    std::vector<View> views(const std::set<std::string>& names) const;

    // External values have no error, or this relative one.
    std::vector<Rounded> rounded(const std::string& name, double share = 0) const;

    // Derives what is derivable and not external from what is: in double, with the error that it may have in float.
    void derive(const Graph& network, const ReferenceOperations& reference_operations, const Passes& passes);

private:
    struct Derived {
        Shape shape;
        std::vector<double> numbers, limits;
    };

    const std::vector<View>& given_;
    const std::vector<View>& reference_;
    const Limits& limits_;
    const std::set<std::string>& in_double_;
    std::map<std::string, Derived> derived_;
};

// All that the step and its reference operation read.
std::set<std::string> reads_of(const Step& step, const ReferenceOperations& reference_operations);

// The limit of each element of a step's result: the effect of its inputs' errors, and the rounding of an equivalent
// formula, in float or in double. The reference operation rounds as well, in double. `saved` are the external inputs
// that may have been rounded to float when they were saved.
std::vector<double> limits_of(const Step& step, const Inputs& inputs, DType dtype, const std::set<std::string>& saved);

}  // namespace byhand
