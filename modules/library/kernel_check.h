// The check of a kernel: what it is given, what is right for it, and what it makes of it.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "byhand/kernel.h"
#include "harness/isolated/draws.h"
#include "harness/isolated/run_calls.h"
#include "library/checked.h"
#include "library/kernel_inputs.h"
#include "library/sampled.h"
#include "steps/step.h"

namespace byhand {

// The inputs of one of the kernel's functions, and what is right for them.
struct Evaluation {
    Tensors<double> values;
    std::vector<Sampled> right;  // limits in float
    std::vector<Tensors<double>>
        moved;  // with saved values that are off by a unit in the last place; none if nothing is saved
};

// Inputs that are drawn in one way.
struct Case {
    std::size_t shapes = 0;               // index of their shapes
    std::string on;                       // "rows all negative, … in x"
    double largest = 0;                   // magnitude of a number among them
    std::vector<Evaluation> evaluations;  // for each function
};

// One way to make one of the results.
struct Run {
    std::size_t function = 0;
    Step step;
    bool in_place = false;  // where it has a way that is not
};

// A run on one case: what it has made, and what with saved values that are moved.
template <class T>
struct Called {
    const Case* of;
    const Run* run;
    const CallResult<T>* result;
    std::span<const CallResult<T>> of_moved;

    const Evaluation& evaluation() const { return of->evaluations[run->function]; }
};

// The largest magnitude of a finite number, of these and of `largest`.
double largest_of(std::span<const double> numbers, double largest);

// A kernel, what is expected of it, and how its parameters are named.
class KernelCheck {
public:
    KernelCheck(const Kernel& kernel, const Expected& expected);

    Report run();

private:
    // What the inputs of one case of shapes are drawn from.
    struct Source {
        std::vector<TensorSpec> specs, integers;
        std::map<std::string, ValueRange> ranges;
        std::uint64_t seed = 0;
    };

    [[noreturn]] void refuse(const std::string& why) const;
    void check_names() const;
    void check_integers(const KernelFunction& function) const;
    // What the function has parameters for, in their order.
    std::vector<std::string> parameters() const;

    // In kernel_cases.cpp.
    Source source_of(const std::vector<Shape>& inputs, std::uint64_t seed) const;
    Tensors<double> drawn(const Source& source, const Draw& how, std::size_t trial) const;
    void add_cases(std::size_t shapes);
    void add_case(std::size_t shapes, const Tensors<double>& floats, std::string on);
    // Cases of shapes beside those that are given, where the reference and the sizes accept them.
    void add_neighbours();
    bool add_neighbour(const TiedExtent& extent, std::size_t to, const std::vector<Shape>& inputs);
    bool accepts(std::size_t beside, const std::vector<Shape>& shapes) const;
    bool follows(std::size_t beside, const std::vector<Shape>& inputs, const Shape& result) const;
    // Where the reference jumps or bends in this input, the others being random.
    const std::vector<float>& places_in(const TensorSpec& spec, const Tensors<double>& random);
    Evaluation evaluation_for(const KernelFunction& function, const Tensors<double>& floats,
                              std::vector<Sampled>& right_of_floats) const;
    // Inputs of the reference drawn in this way.
    std::vector<View> inputs_in(const Tensors<double>& values) const;
    void add_saved(const KernelFunction& function, Evaluation& evaluation) const;

    bool is_given(std::size_t shapes) const { return shapes < expected_.cases_.size(); }
    std::vector<std::size_t> sizes_of(const std::vector<Shape>& inputs) const;
    void add_runs(std::size_t shapes, const std::vector<Evaluation>& evaluations);
    std::string neighbours() const;

    // In kernel_trials.cpp.
    template <class T>
    std::vector<Call<T>> calls() const;
    template <class T>
    std::vector<Called<T>> called(const std::vector<CallResult<T>>& results) const;
    template <class T>
    Checked checked_of(const Called<T>& called) const;
    void compare_types(const Called<float>& in_float, const Called<double>& in_double, bool is_off,
                       Checked& checked) const;
    std::vector<Checked> checked_in_both(const ResultsOfBoth& results) const;
    // Of the kernel's own rounding if it runs on Rounded, else as sampled; of accurate_to(); of storing the result; and
    // of the rounding of saved values.
    template <class T>
    std::vector<double> limits_of(const Called<T>& called, const Sampled& right) const;

    const Kernel& kernel_;
    const Expected& expected_;
    std::vector<const KernelFunction*> functions_;  // those on numbers
    std::vector<std::string> makes_, reads_;
    std::vector<std::vector<Shape>> shapes_;  // first those that are given
    // What the extents of a given case became in the others.
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> neighbours_;  // by case and extent
    std::deque<Case> cases_;
    std::vector<std::vector<Run>> runs_;                // by shapes
    std::map<std::string, std::vector<float>> places_;  // by input
};

}  // namespace byhand
