#include <algorithm>
#include <deque>
#include <iterator>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/mixed.h"
#include "byhand/kernel.h"
#include "harness/isolated/draws.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "harness/limits/limits.h"
#include "library/checked.h"
#include "library/kernel_step.h"
#include "library/sampled.h"
#include "report/lines.h"

namespace byhand {
namespace {

// One evaluation of the reference, and the kernel's inputs for it.
struct Case {
    std::size_t shapes = 0;  // index of the case of shapes
    std::string on;          // "rows all negative, … in x"
    Values floats, doubles;
    std::vector<Sampled> right, right_in_double;
};

// Whatever is drawn all at once, and in one input while the others are random.
std::vector<Draw> draws_of(const std::vector<std::string>& names) {
    std::vector<Draw> all;
    for (const Drawn how : {Drawn::random, Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::spread,
                            Drawn::close, Drawn::special, Drawn::rows, Drawn::columns}) {
        all.push_back({.how = how});
    }
    if (names.size() > 1) {
        for (const std::string& name : names) {
            for (const Drawn how : {Drawn::large, Drawn::close, Drawn::special, Drawn::rows, Drawn::columns}) {
                all.push_back({.how = how, .only = name});
            }
        }
    }
    return all;
}

constexpr std::size_t kKindsOfIntegers = 4;
constexpr const char* kIntegers[kKindsOfIntegers] = {"", ", every integer in turn", ", the smallest integer only",
                                                     ", the largest integer only"};

// From `low` to `high`, of the kind of this trial.
std::vector<std::int64_t> integers_of(std::size_t elements, std::int64_t low, std::int64_t high, std::size_t trial,
                                      std::uint64_t seed) {
    const std::uint64_t all = static_cast<std::uint64_t>(high - low) + 1;
    std::vector<std::int64_t> integers(elements);
    for (std::size_t i = 0; i < elements; ++i) {
        const std::uint64_t which[] = {mixed(seed + i) % all, (trial / kKindsOfIntegers * elements + i) % all, 0,
                                       all - 1};
        integers[i] = low + static_cast<std::int64_t>(which[trial % kKindsOfIntegers]);
    }
    return integers;
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

// "(7, 27), (27)"
std::string listed(const std::vector<Shape>& shapes) {
    std::string text;
    for (const Shape& shape : shapes) {
        text += (text.empty() ? "" : ", ") + to_string(shape);
    }
    return text;
}

// To those of the same tensor, shapes and type, of which the one that says most is kept.
void add_trial(Checked one, std::vector<Checked>& all) {
    const auto same = std::ranges::find_if(all, [&](const Checked& other) {
        return other.name == one.name && other.reads == one.reads && other.in_double == one.in_double;
    });
    if (same == all.end()) {
        all.push_back(std::move(one));
        return;
    }
    ++same->trials;
    same->out_of_range += one.out_of_range;
    const auto rank = [](const Trial& t) { return std::pair(agrees(t.verdict), t.used.value_or(0)); };
    if (!fails(same->trial.verdict) && (fails(one.trial.verdict) || rank(one.trial) > rank(same->trial))) {
        same->trial = std::move(one.trial);
    }
}

}  // namespace

// A kernel, what is expected of it, and how its parameters are named.
class KernelCheck {
public:
    KernelCheck(const Kernel& kernel, const Expected& expected);

    Report run();

private:
    void add_cases(std::size_t shapes);
    // Inputs of the reference drawn in this way: floats, or doubles.
    std::vector<View> inputs_in(const Values& values) const;
    void add_saved(Values& values, const std::vector<Sampled>& right) const;
    void add_steps(std::size_t shapes, const Values& values, const std::vector<Sampled>& right);
    template <class T>
    std::vector<Call<T>> calls();
    template <class T>
    void add_trials(const std::vector<CallResult<T>>& results, std::vector<Checked>& all) const;
    template <class T>
    std::vector<double> limits_of(const Case& one, const Step& step, const Sampled& right) const;

    const Kernel& kernel_;
    const Expected& expected_;
    std::vector<std::string> makes_, reads_;
    std::deque<Case> cases_;
    std::vector<std::vector<Step>> steps_;  // by case of shapes, then by result
};

KernelCheck::KernelCheck(const Kernel& kernel, const Expected& expected) : kernel_(kernel), expected_(expected) {
    const bool gradients = expected.what_ == Expected::What::gradients;
    if (gradients) {
        for (const std::size_t input : expected.wrt_) {
            makes_.push_back("d" + expected.inputs_[input]);
        }
    } else {
        makes_ = {"y"};
    }
    reads_ = expected.reads_;
    if (reads_.empty()) {
        reads_ = expected.inputs_;
        if (gradients) {
            reads_.insert(reads_.begin(), "dy");
        }
    }
    const auto refuse = [&](const std::string& why) {
        throw std::invalid_argument(kernel.named.name + " (" + place_of(kernel.named) + ") " + why);
    };
    const auto refuse_unknown = [&](const char* where, const std::string& name, const std::vector<std::string>& known) {
        if (std::ranges::find(known, name) == known.end()) {
            throw std::invalid_argument(std::string(where) + ": there is no " + name + " among " + listed(known));
        }
    };
    if (kernel.results != makes_.size()) {
        refuse("has " + plural(kernel.results, "result") + ", but " + std::to_string(makes_.size()) +
               " expected: " + listed(makes_) + (gradients ? "; choose them with wrt()" : ""));
    }
    if (kernel.integers.size() != reads_.size()) {
        refuse("has " + plural(kernel.integers.size(), "input") + ", but " + std::to_string(reads_.size()) +
               " expected: " + listed(reads_) + "; name them with reads()");
    }
    for (std::size_t i = 0; i < reads_.size(); ++i) {
        if ((kernel.integers[i] > 0) != expected.integers_.contains(reads_[i])) {
            refuse("takes " + reads_[i] +
                   (kernel.integers[i] > 0 ? " as integers: give their range with integers()"
                                           : " as numbers, but it has integers"));
        }
    }
    for (const auto& [name, range] : expected.integers_) {
        const auto place = std::ranges::find(reads_, name);
        refuse_unknown("integers()", name, expected.inputs_);
        if (place != reads_.end()) {
            const std::size_t bits = 8 * kernel.integers[static_cast<std::size_t>(place - reads_.begin())];
            const auto [low, high] = range;
            if (bits < 64 && (low < -(std::int64_t{1} << (bits - 1)) || high >= std::int64_t{1} << bits)) {
                refuse("takes " + name + " as integers of " + std::to_string(bits) + " bits, which do not hold " +
                       std::to_string(low) + " to " + std::to_string(high));
            }
        }
    }
    for (const auto& [name, range] : expected.ranges_) {
        std::vector<std::string> known = expected.inputs_;
        known.emplace_back("dy");
        refuse_unknown("range()", name, known);
    }
    for (const auto& [name, evaluate] : expected.with_) {
        refuse_unknown("with()", name, reads_);
    }
    if (expected.cases_.empty()) {
        refuse("is given no shapes: add some with shapes()");
    }
    if (!kernel.in_float && !kernel.in_double) {
        refuse("has no function in float or double");
    }
}

std::vector<View> KernelCheck::inputs_in(const Values& values) const {
    std::vector<View> views, all = values.views();
    std::vector<std::string> names = expected_.inputs_;
    names.emplace_back("dy");
    for (const std::string& name : names) {
        if (const View* view = find(all, name)) {
            views.push_back(*view);
        }
    }
    return views;
}

// What the kernel reads besides the inputs of the reference.
void KernelCheck::add_saved(Values& values, const std::vector<Sampled>& right) const {
    const std::vector<View> inputs = inputs_in(values);
    for (const std::string& name : reads_) {
        if (values.contains(name)) {
            continue;
        }
        Computed saved;
        const auto with = std::ranges::find(expected_.with_, name, &std::pair<std::string, Evaluate>::first);
        if (with != expected_.with_.end()) {
            saved = with->second(inputs, std::nullopt).at(0);
        } else if (name == "y") {
            saved = find_sampled(right, name).exact;
        } else {
            throw std::invalid_argument(kernel_.named.name + " reads " + name +
                                        ", which is neither an input of the reference (" + listed(expected_.inputs_) +
                                        ") nor dy, y or added by with()");
        }
        values.put({name, saved.shape}, saved.numbers);
    }
}

void KernelCheck::add_steps(std::size_t shapes, const Values& values, const std::vector<Sampled>& right) {
    const std::vector<Shape>& inputs = expected_.cases_[shapes];
    const std::vector<std::size_t> sizes = expected_.sizes_ ? expected_.sizes_(inputs) : inputs.front();
    if (sizes.size() != kernel_.sizes) {
        throw std::invalid_argument(
            kernel_.named.name + " (" + place_of(kernel_.named) + ") takes " + plural(kernel_.sizes, "size") +
            ", but is given " + std::to_string(sizes.size()) +
            (expected_.sizes_ ? " by sizes()" : ", the extents of the first input: set sizes()"));
    }
    std::vector<Shape> results;
    results.reserve(makes_.size());
    for (const std::string& name : makes_) {
        results.push_back(find_sampled(right, name).exact.shape);
    }
    std::vector<Step>& steps = steps_.emplace_back();
    for (std::size_t r = 0; r < makes_.size(); ++r) {
        steps.push_back(kernel_step(kernel_, {makes_[r], r, results, reads_, sizes}, values));
    }
}

void KernelCheck::add_cases(std::size_t shapes) {
    const std::uint64_t seed = mixed(expected_.seed_ + shapes);
    std::vector<TensorSpec> specs;
    std::map<std::string, ValueRange> ranges;
    for (const auto& [name, range] : expected_.ranges_) {
        ranges[name] = {range.first, range.second};
    }
    std::vector<TensorSpec> integers;
    for (std::size_t i = 0; i < expected_.inputs_.size(); ++i) {
        const TensorSpec spec{expected_.inputs_[i], expected_.cases_[shapes][i]};
        (expected_.integers_.contains(spec.name) ? integers : specs).push_back(spec);
    }
    const auto drawn = [&](const Draw& how, std::size_t number) {
        Values values = draw(specs, ranges, how, 1, seed, {});
        for (const TensorSpec& spec : integers) {
            const auto [low, high] = expected_.integers_.at(spec.name);
            values.put(spec, integers_of(count(spec.shape), low, high, number, mixed(seed + number)));
        }
        return values;
    };
    if (expected_.what_ == Expected::What::gradients) {
        const Values values = drawn({}, 0);
        specs.push_back({"dy", expected_.evaluate_(inputs_in(values), std::nullopt).at(0).shape});
    }
    std::vector<std::string> names;
    names.reserve(specs.size());
    for (const TensorSpec& spec : specs) {
        names.push_back(spec.name);
    }
    const std::vector<Draw> draws = draws_of(names);
    // With integers, more trials: each kind of numbers meets several kinds of integers.
    const std::size_t trials = integers.empty() ? draws.size() : std::max(2 * draws.size() + 1, 2 * kKindsOfIntegers);
    for (std::size_t trial = 0; trial < trials; ++trial) {
        const Draw& how = draws[trial % draws.size()];
        Case& one = cases_.emplace_back();
        one.shapes = shapes;
        one.on = describe(how) + (integers.empty() ? "" : kIntegers[trial % kKindsOfIntegers]);
        one.floats = drawn(how, trial);
        one.right = sampled(expected_.evaluate_, inputs_in(one.floats));
        if (kernel_.in_double) {
            one.doubles = with_digits_of_doubles(one.floats);
            for (Computed& exact : expected_.evaluate_(inputs_in(one.doubles), std::nullopt)) {
                const Sampled& in_float = find_sampled(one.right, exact.name);
                one.right_in_double.push_back({std::move(exact), in_float.limits});
            }
            add_saved(one.doubles, one.right_in_double);
        }
        add_saved(one.floats, one.right);
        if (steps_.size() == shapes) {
            add_steps(shapes, one.floats, one.right);
        }
    }
}

template <class T>
std::vector<Call<T>> KernelCheck::calls() {
    std::vector<Call<T>> all;
    for (const Case& one : cases_) {
        for (const Step& step : steps_[one.shapes]) {
            if (step.in<T>().run) {
                all.push_back({&step, sizeof(T) == sizeof(float) ? &one.floats : &one.doubles});
            }
        }
    }
    return all;
}

// Of the kernel's own rounding if it runs on Rounded, else as sampled.
template <class T>
std::vector<double> KernelCheck::limits_of(const Case& one, const Step& step, const Sampled& right) const {
    constexpr bool kIsFloat = sizeof(T) == sizeof(float);
    std::vector<double> limits = right.limits;
    if (step.rounded.run) {
        const std::vector<Rounded> made = rounded_result(step, kIsFloat ? one.floats : one.doubles);
        std::ranges::transform(made, limits.begin(), &Rounded::error);
    }
    return kIsFloat ? limits : limits_in_double(std::move(limits));
}

template <class T>
void KernelCheck::add_trials(const std::vector<CallResult<T>>& results, std::vector<Checked>& all) const {
    constexpr bool kIsFloat = sizeof(T) == sizeof(float);
    std::size_t next = 0;
    for (const Case& one : cases_) {
        for (const Step& step : steps_[one.shapes]) {
            if (next >= results.size()) {
                return;
            }
            const CallResult<T>& result = results[next++];
            if (result.made.empty() && result.fault.empty() && count(step.shape) > 0) {
                continue;  // it was not called
            }
            const Sampled& right = find_sampled(kIsFloat ? one.right : one.right_in_double, step.makes);
            const std::vector<double> limits = limits_of<T>(one, step, right);
            Trial trial = trial_of(result, right.exact.numbers, limits, step.shape,
                                   extents_of(expected_.cases_[one.shapes].front()));
            trial.on = one.on;
            const std::size_t out_of_range = trial.verdict == Verdict::out_of_range ? 1 : 0;
            add_trial({step.makes, step.shape, !kIsFloat, 1, out_of_range, listed(expected_.cases_[one.shapes]),
                       std::move(trial)},
                      all);
        }
    }
}

Report KernelCheck::run() {
    for (std::size_t shapes = 0; shapes < expected_.cases_.size(); ++shapes) {
        add_cases(shapes);
    }
    const std::vector<Call<float>> in_float = calls<float>();
    const std::vector<Call<double>> in_double = calls<double>();
    CallConfig config{.subprocess = expected_.subprocess_};
    config.limits.timeout = expected_.timeout_;
    config.limits.option = "timeout()";
    config.limits.advice = "; -fsanitize=address shows the line";
    const ResultsOfBoth results = config.subprocess
                                      ? run_calls_in_subprocess(in_float, in_double, config)
                                      : ResultsOfBoth{run_calls(in_float, config), run_calls(in_double, config)};
    std::vector<Checked> all;
    add_trials(results.in_float, all);
    add_trials(results.in_double, all);
    return report_of(kernel_.named.name, place_of(kernel_.named), all);
}

Report check(const Kernel& kernel, const Expected& expected) {
    return KernelCheck(kernel, expected).run();
}

}  // namespace byhand
