#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/mixed.h"
#include "base/narrow.h"
#include "byhand/kernel.h"
#include "harness/isolated/draws.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "harness/limits/limits.h"
#include "library/checked.h"
#include "library/kernel_inputs.h"
#include "library/kernel_step.h"
#include "library/places.h"
#include "library/sampled.h"
#include "report/lines.h"

namespace byhand {
namespace {

// The inputs of one of the kernel's functions, and what is right for them.
struct Evaluation {
    Values values;
    std::vector<Sampled> right;  // limits in float
};

// Inputs that are drawn in one way.
struct Case {
    std::size_t shapes = 0;               // index of the case of shapes
    std::string on;                       // "rows all negative, … in x"
    std::vector<Evaluation> evaluations;  // for each function
};

// One way to make one of the results.
struct Run {
    std::size_t function = 0;
    Step step;
    bool in_place = false;  // where it has a way that is not
};

// "x, gain"
std::string listed(const std::vector<std::string>& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

// "(7, 27), (27)"
std::string listed(const std::vector<Shape>& shapes) {
    std::vector<std::string> texts;
    std::ranges::transform(shapes, std::back_inserter(texts), [](const Shape& shape) { return to_string(shape); });
    return listed(texts);
}

// To those of the same tensor, shapes and type, of which the one that says most is kept.
void add_trial(Checked one, std::vector<Checked>& all) {
    if (fails(one.trial.verdict)) {
        one.off = 1;
        one.off_on = {one.trial.on};
    }
    const auto same = std::ranges::find_if(all, [&](const Checked& other) {
        return other.name == one.name && other.reads == one.reads && other.type == one.type;
    });
    if (same == all.end()) {
        all.push_back(std::move(one));
        return;
    }
    ++same->trials;
    same->off += one.off;
    for (std::string& on : one.off_on) {
        if (std::ranges::find(same->off_on, on) == same->off_on.end()) {
            same->off_on.push_back(std::move(on));
        }
    }
    same->out_of_range += one.out_of_range;
    const auto rank = [](const Trial& t) { return std::pair(agrees(t.verdict), t.used.value_or(0)); };
    if (!fails(same->trial.verdict) && (fails(one.trial.verdict) || rank(one.trial) > rank(same->trial))) {
        same->trial = std::move(one.trial);
    }
}

void check_known(const char* option, const std::string& name, const std::vector<std::string>& known) {
    if (std::ranges::find(known, name) == known.end()) {
        throw std::invalid_argument(std::string(option) + ": there is no " + name + " among " + listed(known));
    }
}

constexpr std::size_t kMostPlaces = 24;   // of an input
constexpr std::size_t kMostOfPlaces = 4;  // trials with an input's places

// The trial of another class than the right one fails; `only_zeros`: only the sign of zeros counts.
template <class T>
void compare_classes(Trial& trial, const std::vector<T>& made, const Sampled& right, const Step& step,
                     bool only_zeros) {
    std::vector<bool> counts = right.of_class;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] = counts[i] && (right.exact.numbers[i] == 0 || !only_zeros);
    }
    byhand::compare_classes<T>(trial, made, right.exact.numbers, counts, step.makes, step.shape);
}

// Whether integers of this many bits, signed or unsigned, hold the range (first, last).
bool holds(std::size_t bits, std::pair<std::int64_t, std::int64_t> range) {
    return bits >= 64 || (range.first >= -(std::int64_t{1} << (bits - 1)) && range.second < std::int64_t{1} << bits);
}

}  // namespace

// A kernel, what is expected of it, and how its parameters are named.
class KernelCheck {
public:
    KernelCheck(const Kernel& kernel, const Expected& expected);

    Report run();

private:
    [[noreturn]] void refuse(const std::string& why) const;
    void check_names() const;
    void check_integers(const KernelFunction& function) const;
    // What the function has parameters for, in their order.
    std::vector<std::string> parameters() const;

    void add_cases(std::size_t shapes);
    // Where the reference jumps or bends in this input, the others being random.
    const std::vector<float>& places_in(const TensorSpec& spec, const Values& random);
    Evaluation evaluation_for(const KernelFunction& function, const Values& floats,
                              std::vector<Sampled>& right_of_floats) const;
    // Inputs of the reference drawn in this way.
    std::vector<View> inputs_in(const Values& values) const;
    void add_saved(const KernelFunction& function, Evaluation& evaluation) const;
    void add_runs(std::size_t shapes, const std::vector<Evaluation>& evaluations);
    template <class T>
    std::vector<Call<T>> calls();
    template <class T>
    void add_trials(const std::vector<CallResult<T>>& results, std::vector<Checked>& all) const;
    std::vector<double> limits_of(const Evaluation& evaluation, const Run& run, const Sampled& right) const;

    const Kernel& kernel_;
    const Expected& expected_;
    std::vector<const KernelFunction*> functions_;  // those on numbers
    std::vector<std::string> makes_, reads_;
    std::deque<Case> cases_;
    std::vector<std::vector<Run>> runs_;                // by case of shapes
    std::map<std::string, std::vector<float>> places_;  // by input
};

KernelCheck::KernelCheck(const Kernel& kernel, const Expected& expected)
    : kernel_(kernel), expected_(expected), reads_(expected.reads_) {
    const bool gradients = expected.what_ == Expected::What::gradients;
    if (gradients) {
        for (const std::size_t input : expected.wrt_) {
            makes_.push_back("d" + expected.inputs_[input]);
        }
    } else {
        makes_ = {"y"};
    }
    if (reads_.empty()) {
        reads_ = expected.inputs_;
        if (gradients) {
            reads_.insert(reads_.begin(), "dy");
        }
    }
    if (kernel.results != makes_.size()) {
        refuse("has " + plural(kernel.results, "result") + ", but " + std::to_string(makes_.size()) +
               " expected: " + listed(makes_) + (gradients ? "; choose them with wrt()" : ""));
    }
    check_names();
    if (kernel.inputs != parameters().size()) {
        refuse("has " + plural(kernel.inputs, "input") + ", but " + std::to_string(parameters().size()) +
               " expected: " + listed(parameters()) + "; name them with reads()");
    }
    if (expected.cases_.empty()) {
        refuse("is given no shapes: add some with shapes()");
    }
    for (const KernelFunction& function : kernel.functions) {
        check_integers(function);
        if (function.type) {
            functions_.push_back(&function);
        }
    }
    if (functions_.empty()) {
        refuse("has no function on numbers");
    }
}

void KernelCheck::refuse(const std::string& why) const {
    throw std::invalid_argument(name_and_place(kernel_.named) + " " + why);
}

// Every name that an option gives is one of those it may give.
void KernelCheck::check_names() const {
    std::vector<std::string> in_range = expected_.inputs_;
    in_range.emplace_back("dy");
    for (const auto& [name, range] : expected_.integers_) {
        check_known("integers()", name, expected_.inputs_);
    }
    for (const auto& [name, range] : expected_.ranges_) {
        check_known("range()", name, in_range);
    }
    for (const auto& [name, evaluate] : expected_.with_) {
        check_known("with()", name, reads_);
    }
    if (!expected_.in_place_.empty()) {
        check_known("in_place()", expected_.in_place_, reads_);
    }
    if (!expected_.may_alias_.empty()) {
        check_known("may_alias()", expected_.may_alias_, parameters());
    }
}

std::vector<std::string> KernelCheck::parameters() const {
    std::vector<std::string> names = reads_;
    std::erase(names, expected_.in_place_);
    return names;
}

// The function takes as integers what integers() names, and its types hold the ranges.
void KernelCheck::check_integers(const KernelFunction& function) const {
    const std::vector<std::string> names = parameters();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto range = expected_.integers_.find(names[i]);
        const std::size_t bits = is_integer(function.inputs[i]) ? 8 * size_of(function.inputs[i]) : 0;
        if ((bits > 0) != (range != expected_.integers_.end())) {
            refuse("takes " + names[i] +
                   (bits > 0 ? " as integers: give their range with integers()" : " as numbers, but it has integers"));
        }
        if (bits > 0 && !holds(bits, range->second)) {
            refuse("takes " + names[i] + " as integers of " + std::to_string(bits) + " bits, which do not hold " +
                   std::to_string(range->second.first) + " to " + std::to_string(range->second.second));
        }
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
void KernelCheck::add_saved(const KernelFunction& function, Evaluation& evaluation) const {
    const std::vector<View> inputs = inputs_in(evaluation.values);
    const std::vector<std::string> names = parameters();
    for (const std::string& name : reads_) {
        if (evaluation.values.contains(name)) {
            continue;
        }
        const auto parameter = std::ranges::find(names, name) - names.begin();
        if (is_narrow(name == expected_.in_place_ ? *function.type
                                                  : function.inputs[static_cast<std::size_t>(parameter)])) {
            refuse("reads " + name + " rounded to 16 bits, but the reference does not: take it as float");
        }
        Computed saved;
        const auto with = std::ranges::find(expected_.with_, name, &std::pair<std::string, Evaluate>::first);
        if (with != expected_.with_.end()) {
            saved = with->second(inputs, std::nullopt).at(0);
        } else if (name == "y") {
            saved = find_sampled(evaluation.right, name).exact;
        } else {
            refuse("reads " + name + ", which is neither an input of the reference (" + listed(expected_.inputs_) +
                   ") nor dy, y or added by with()");
        }
        evaluation.values.put({name, saved.shape}, saved.numbers);
    }
}

// The drawn numbers in the formats that the function takes, and what is right for them. `right_of_floats` is evaluated
// when it is needed first.
Evaluation KernelCheck::evaluation_for(const KernelFunction& function, const Values& floats,
                                       std::vector<Sampled>& right_of_floats) const {
    Evaluation one{function.type == DType::float64 ? with_digits_of_doubles(floats) : floats, {}};
    const std::vector<std::string> names = parameters();
    bool narrow = is_narrow(*function.type);
    const auto round_to = [&](const std::string& name, DType dtype) {
        if (one.values.contains(name) && !one.values.holds_indices(name) && dtype != DType::float64) {
            std::vector<double> numbers = one.values.numbers(name);
            std::ranges::transform(numbers, numbers.begin(), [&](double x) { return rounded_to(dtype, x); });
            const std::vector<View> views = one.values.views();
            one.values.put({name, find(views, name)->shape}, std::move(numbers));
            narrow = narrow || is_narrow(dtype);
        }
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        round_to(names[i], function.inputs[i]);
    }
    if (!expected_.in_place_.empty()) {
        round_to(expected_.in_place_, *function.type);
    }
    if (narrow) {
        one.right = sampled(expected_.evaluate_, inputs_in(one.values));
    } else {
        if (right_of_floats.empty()) {
            right_of_floats = sampled(expected_.evaluate_, inputs_in(floats));
        }
        one.right = right_of_floats;
        if (function.type == DType::float64) {
            for (Computed& exact : expected_.evaluate_(inputs_in(one.values), std::nullopt)) {
                auto& same = *std::ranges::find(one.right, exact.name, [](const Sampled& s) { return s.exact.name; });
                same.exact = std::move(exact);
            }
        }
    }
    add_saved(function, one);
    return one;
}

void KernelCheck::add_runs(std::size_t shapes, const std::vector<Evaluation>& evaluations) {
    const std::vector<Shape>& inputs = expected_.cases_[shapes];
    const std::vector<std::size_t> sizes = expected_.sizes_ ? expected_.sizes_(inputs) : inputs.front();
    if (sizes.size() != kernel_.sizes) {
        refuse("takes " + plural(kernel_.sizes, "size") + ", but is given " + std::to_string(sizes.size()) +
               (expected_.sizes_ ? " by sizes()" : ", the extents of the first input: set sizes()"));
    }
    const auto place_in_reads = [&](const std::string& name) -> std::optional<std::size_t> {
        const auto place = std::ranges::find(reads_, name);
        return place == reads_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(place - reads_.begin()));
    };
    std::vector<Run>& runs = runs_.emplace_back();
    for (std::size_t f = 0; f < functions_.size(); ++f) {
        KernelCall call{.makes = "", .results = {}, .reads = reads_, .sizes = sizes};
        for (const std::string& name : makes_) {
            call.results.push_back(find_sampled(evaluations[f].right, name).exact.shape);
        }
        const auto add = [&](std::optional<std::size_t> in_place, bool is_parameter) {
            call.in_place = in_place;
            call.is_parameter = is_parameter;
            for (call.result = 0; call.result < makes_.size(); ++call.result) {
                call.makes = makes_[call.result];
                runs.push_back({f, kernel_step(kernel_, *functions_[f], call, evaluations[f].values), is_parameter});
            }
        };
        add(place_in_reads(expected_.in_place_), false);
        if (!expected_.may_alias_.empty()) {
            add(place_in_reads(expected_.may_alias_), true);
        }
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
    const auto add = [&](const Values& floats, std::string on) {
        Case& one = cases_.emplace_back();
        one.shapes = shapes;
        one.on = std::move(on);
        std::vector<Sampled> right_of_floats;
        for (const KernelFunction* function : functions_) {
            one.evaluations.push_back(evaluation_for(*function, floats, right_of_floats));
        }
        if (runs_.size() == shapes) {
            add_runs(shapes, one.evaluations);
        }
    };
    const std::vector<Draw> draws = draws_of(specs);
    // With integers, more trials: each kind of numbers meets several kinds of integers.
    const std::size_t trials = integers.empty() ? draws.size() : std::max(2 * draws.size() + 1, 2 * kKindsOfIntegers);
    for (std::size_t trial = 0; trial < trials; ++trial) {
        const Draw& how = draws[trial % draws.size()];
        add(drawn(how, trial), describe(how) + (integers.empty() ? "" : describe_integers(trial)));
    }
    for (const TensorSpec& spec : specs) {
        const std::vector<float>& places = places_in(spec, drawn({}, 0));
        const std::size_t elements = count(spec.shape), at_once = elements - elements / 3, numbers = 3 * places.size();
        for (std::size_t trial = 0; elements > 0 && trial < kMostOfPlaces && trial * at_once < numbers; ++trial) {
            Values values = drawn({}, 0);
            values.put(spec, numbers_at(places, values.numbers(spec.name), trial * at_once));
            add(values, "values at which the reference jumps or bends in " + spec.name);
        }
    }
}

// They are looked for in one element of the first shapes.
const std::vector<float>& KernelCheck::places_in(const TensorSpec& spec, const Values& random) {
    const auto [known, is_new] = places_.try_emplace(spec.name);
    if (is_new && spec.name != "dy" && count(spec.shape) > 0) {
        std::vector<double> numbers = random.numbers(spec.name);
        Values values = random;
        const auto range = expected_.ranges_.find(spec.name);
        const auto results = [&](double x) {
            numbers.front() =
                range == expected_.ranges_.end() ? x : std::clamp(x, range->second.first, range->second.second);
            values.put(spec, numbers);
            std::vector<double> all;
            for (const Computed& one : expected_.evaluate_(inputs_in(values), std::nullopt)) {
                all.insert(all.end(), one.numbers.begin(), one.numbers.end());
            }
            return all;
        };
        known->second = places_of(results, kMostPlaces);
    }
    return known->second;
}

template <class T>
std::vector<Call<T>> KernelCheck::calls() {
    std::vector<Call<T>> all;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            if (run.step.in<T>().run) {
                all.push_back({&run.step, &one.evaluations[run.function].values});
            }
        }
    }
    return all;
}

// Of the kernel's own rounding if it runs on Rounded, else as sampled; and of storing the result.
std::vector<double> KernelCheck::limits_of(const Evaluation& evaluation, const Run& run, const Sampled& right) const {
    std::vector<double> limits = right.limits;
    if (run.step.rounded.run) {
        const std::vector<Rounded> made = rounded_result(run.step, evaluation.values);
        std::ranges::transform(made, limits.begin(), &Rounded::error);
    }
    return limits_in(*functions_[run.function]->type, right.exact.numbers, std::move(limits));
}

template <class T>
void KernelCheck::add_trials(const std::vector<CallResult<T>>& results, std::vector<Checked>& all) const {
    std::size_t next = 0;
    for (const Case& one : cases_) {
        for (const Run& run : runs_[one.shapes]) {
            const Step& step = run.step;
            if (!step.in<T>().run) {
                continue;
            }
            const CallResult<T>& result = results.at(next++);
            if (result.made.empty() && result.fault.empty() && count(step.shape) > 0) {
                continue;  // it was not called
            }
            const Evaluation& evaluation = one.evaluations[run.function];
            const Sampled& right = find_sampled(evaluation.right, step.makes);
            Trial trial = trial_of(result, right.exact.numbers, limits_of(evaluation, run, right), step.shape,
                                   extents_of(expected_.cases_[one.shapes].front()));
            compare_classes(trial, result.made, right, step, !expected_.compares_non_finite_);
            trial.on = one.on + (run.in_place ? ", in place of " + expected_.may_alias_ : "");
            const std::size_t out_of_range = trial.verdict == Verdict::out_of_range ? 1 : 0;
            add_trial({step.makes, step.shape, *functions_[run.function]->type, 1, out_of_range,
                       listed(expected_.cases_[one.shapes]), std::move(trial)},
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
