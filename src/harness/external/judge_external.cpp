#include "harness/external/judge_external.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/isolated/hints.h"
#include "harness/isolated/known_mistake.h"

namespace byhand {
namespace {

constexpr double kFloats = 0x1p-24;  // the largest relative change of a number that is saved as float

// The inputs of a step: external, or the reference's with their possible error.
class Inputs {
public:
    Inputs(const std::vector<View>& given, const std::vector<View>& reference, const Limits& limits,
           const std::set<std::string>& in_double)
        : given_(given), reference_(reference), limits_(limits), in_double_(in_double) {}

    bool has(const std::string& name) const { return find(given_, name) != nullptr; }
    // Whether it has no error: it is external, or belongs to the batch or to the state before the step.
    bool is_exact(const std::string& name) const { return has(name) || !limits_.contains(name); }
    bool is_in_double(const std::string& name) const {
        return has(name) ? in_double_.contains(name) : view(name).dtype == DType::float64;
    }

    std::vector<View> views(const std::set<std::string>& names) const {
        std::vector<View> all;
        std::ranges::transform(names, std::back_inserter(all), [this](const std::string& name) { return view(name); });
        return all;
    }

    // External values have no error, or this relative one.
    std::vector<Rounded> rounded(const std::string& name, double share = 0) const {
        std::vector<Rounded> all;
        if (const View* given = find(given_, name)) {
            for (std::size_t i = 0; i < count(given->shape); ++i) {
                const double value = value_at(*given, i);
                all.push_back(Rounded::off_by(value, share > 0 ? share * std::abs(value) : 0));
            }
            return all;
        }
        const View numbers = view(name);
        const auto limit = limits_.find(name);
        for (std::size_t i = 0; i < count(numbers.shape); ++i) {
            all.push_back(Rounded::off_by(value_at(numbers, i), limit != limits_.end() ? limit->second[i] : 0));
        }
        return all;
    }

    // The external value, else the reference's.
    View view(const std::string& name) const {
        const View* given = find(given_, name);
        const View* found = given != nullptr ? given : find(reference_, name);
        if (found == nullptr) {
            throw std::out_of_range("the reference has no " + name);
        }
        return *found;
    }

private:
    const std::vector<View>& given_;
    const std::vector<View>& reference_;
    const Limits& limits_;
    const std::set<std::string>& in_double_;
};

// The largest error of each element, with any order of its sums. `saved` are the external inputs that may have been
// rounded to float when they were saved.
std::vector<double> any_order(const Step& step, const Inputs& inputs, bool inputs_are_exact,
                              const std::set<std::string>& saved) {
    std::deque<std::vector<Rounded>> numbers;
    std::vector<Rounded> made(count(step.shape));
    execute(step, made.data(), [&](const std::string& name) -> Operand<Rounded> {
        if (const View view = inputs.view(name); view.dtype == DType::int64) {
            return static_cast<const std::int64_t*>(view.data);
        }
        std::vector<Rounded>& read = numbers.emplace_back(inputs.rounded(name, saved.contains(name) ? kFloats : 0));
        if (inputs_are_exact) {
            std::ranges::transform(read, read.begin(), [](const Rounded& r) { return Rounded::off_by(r.value, 0); });
        }
        return read.data();
    });
    std::vector<double> errors;
    std::ranges::transform(made, std::back_inserter(errors), &Rounded::any_order);
    return errors;
}

// The limit of each element: the effect of its inputs' errors, and the rounding of an equivalent formula, in float or
// in double. The reference operation rounds as well, in double.
std::vector<double> limits_of(const Step& step, const Inputs& inputs, DType dtype, const std::set<std::string>& saved) {
    std::vector<double> limits = any_order(step, inputs, false, saved);
    const std::vector<double> own = any_order(step, inputs, true, saved);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (dtype == DType::float64 && std::isfinite(limits[i])) {
            limits[i] = std::max(limits[i] - own[i], 0.0) + kDoubles * (kOtherWords + 2) * own[i];
        } else {
            limits[i] = (1 + 0x1p-28) * (limits[i] + (kOtherWords - 1) * own[i]);
        }
    }
    return limits;
}

// What rounding makes of a value that is computed in the small steps of `network`, from given gradients.
class SmallSteps {
public:
    SmallSteps(const Graph& network, const Inputs& inputs, const std::set<std::string>& gradients)
        : network_(network), inputs_(inputs), gradients_(gradients) {}

    // Precondition: a step of the network makes it.
    std::vector<Rounded> made(const std::string& name) {
        const Step& step = *find_step(network_, name);
        std::vector<Rounded> made(count(step.shape));
        execute(step, made.data(), [&](const std::string& read) -> Operand<Rounded> {
            if (const View view = inputs_.view(read); view.dtype == DType::int64) {
                return static_cast<const std::int64_t*>(view.data);
            }
            const auto [known, is_new] = known_.try_emplace(read);
            if (is_new) {
                std::vector<Rounded> numbers;
                if (gradients_.contains(read) && !inputs_.has(read)) {
                    numbers = this->made(read);
                } else {
                    const View view = inputs_.view(read);
                    for (std::size_t i = 0; i < count(view.shape); ++i) {
                        numbers.push_back(Rounded::off_by(value_at(view, i), 0));
                    }
                }
                known->second = std::move(numbers);
            }
            return known->second.data();
        });
        return made;
    }

private:
    const Graph& network_;
    const Inputs& inputs_;
    const std::set<std::string>& gradients_;
    std::map<std::string, std::vector<Rounded>> known_;
};

// Whether every limit does.
bool says_something(const std::vector<double>& limits, const std::vector<double>& exact) {
    const Yardstick yardstick = yardstick_of(view_of(exact), limits);
    return says_something(yardstick, yardstick.widest) || yardstick.widest == 0;
}

std::set<std::string> made_by(const StepList& list) {
    std::set<std::string> names;
    for (const Step& step : list) {
        names.insert(step.makes);
    }
    return names;
}

// What each list of the network makes.
struct Passes {
    std::set<std::string> forward, backward, update;

    explicit Passes(const Graph& network)
        : forward(made_by(network.forward)), backward(made_by(network.backward)), update(made_by(network.update)) {}

    // Gradients, and what the update makes of them: the external ones are not the reference's.
    bool made_later(const std::string& name) const { return backward.contains(name) || update.contains(name); }
};

// By whose limits a value is judged. One in double that is computed from floats may have been computed in float, in
// part; and of floats that were rounded, another formula makes other numbers. So all forward values count that one of
// the forms reads for it, and the gradients that `step` reads.
DType dtype_for(const View& given, const Step& step, const std::vector<Form>& forms, const Inputs& inputs,
                const Passes& passes) {
    if (!passes.forward.contains(given.name) && !passes.backward.contains(given.name)) {
        return DType::float32;
    }
    std::set<std::string> reads;
    const auto add = [&](const Step& one, const std::set<std::string>& of) {
        std::ranges::copy_if(one.reads, std::inserter(reads, reads.end()),
                             [&](const std::string& name) { return of.contains(name); });
    };
    add(step, passes.backward);
    for (const Form& form : forms) {
        if (const Step* other = find_step(form.graph, given.name)) {
            add(*other, passes.forward);
        }
    }
    const bool all = std::ranges::all_of(reads, [&](const std::string& name) { return inputs.is_in_double(name); });
    return all ? given.dtype : DType::float32;
}

// Of a value in double those reads that are floats: they may be what was kept of the doubles that it was computed from.
std::set<std::string> saved_as_float(const View& given, const Step& step, const Inputs& inputs, const Passes& passes) {
    std::set<std::string> names;
    for (const std::string& name : step.reads) {
        const bool made = passes.forward.contains(name) || passes.backward.contains(name);
        if (given.dtype == DType::float64 && made && inputs.has(name) && !inputs.is_in_double(name)) {
            names.insert(name);
        }
    }
    return names;
}

// The limits by which `given` is judged, in the unit of `dtype`. A float of doubles may have been rounded last of all,
// and a gradient that is judged by another form may have been computed in the small steps of `network`.
std::vector<double> limits_for(const View& given, const Step& step, const std::vector<double>& exact,
                               const Inputs& inputs, DType dtype, const Passes& passes, const Graph& network) {
    std::vector<double> limits = limits_of(step, inputs, dtype, saved_as_float(given, step, inputs, passes));
    const Step* small = find_step(network, given.name);
    if (small != nullptr && passes.backward.contains(given.name) && small->in_float.name != step.in_float.name) {
        const std::vector<Rounded> made = SmallSteps(network, inputs, passes.backward).made(given.name);
        for (std::size_t i = 0; i < limits.size(); ++i) {
            limits[i] += (dtype == DType::float64 ? kDoubles * (kOtherWords + 2) : 1) * made[i].any_order();
        }
    }
    const bool of_doubles = std::ranges::any_of(step.reads, [&](const std::string& name) {
        return inputs.has(name) && inputs.view(name).dtype == DType::float64;
    });
    for (std::size_t i = 0; given.dtype == DType::float32 && of_doubles && i < limits.size(); ++i) {
        limits[i] += kFloats * std::abs(exact[i]);
    }
    return limits;
}

// Whether the reference's result does not depend on the inputs that only the reference operation reads.
bool exact_stays(const Form& form, const Step& step, const std::vector<double>& exact,
                 const std::set<std::string>& reads, const Inputs& inputs) {
    std::vector<View> views = inputs.views(reads);
    std::deque<std::vector<double>> moved;
    for (View& view : views) {
        if (std::ranges::find(step.reads, view.name) != step.reads.end() || inputs.is_exact(view.name)) {
            continue;
        }
        std::vector<double>& numbers = moved.emplace_back();
        for (const Rounded& number : inputs.rounded(view.name)) {
            numbers.push_back(number.value + number.any_order());
        }
        view.dtype = DType::float64;
        view.data = numbers.data();
    }
    return form.reference_operations->evaluate(step.makes, views) == exact;
}

// What was made of the step's reads, against the right answer.
template <class T>
Trial trial_of(const View& given, const std::vector<double>& exact, const std::vector<double>& limits,
               const Graph& network) {
    const std::span<const T> ours(static_cast<const T*>(given.data), count(given.shape));
    Trial trial = trial_against(ours, exact, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), exact, limits, given.shape,
                          extents_of(network.config, network.rows));
    }
    return trial;
}

// Names the mistake that makes the same of the step's reads, within the limits of float; `network` has the steps as
// they should be.
void name_mistake_in(const View& given, const Step& step, const Inputs& inputs, const Graph& network,
                     const std::vector<double>& exact, const std::vector<double>& limits, Trial& trial) {
    Values values;
    for (const View& view : inputs.views({step.reads.begin(), step.reads.end()})) {
        values.put(view);
    }
    StepInput input;
    input.values = std::make_shared<const Values>(std::move(values));
    input.exact = exact;
    std::vector<double> ours(count(given.shape));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        ours[i] = value_at(given, i);
    }
    name_mistake(trial, given.name, {{network, input, ours, limits}});
}

// Nothing if this form has no such step, or a gradient that it reads is missing.
std::optional<IsolatedStep> judge_by(const Form& form, const std::vector<Form>& forms, const View& given,
                                     const Inputs& inputs, const Passes& passes, const Graph& network) {
    const Step* step = find_step(form.graph, given.name);
    const std::vector<std::string> known = form.reference_operations->names();
    if (step == nullptr || std::ranges::find(known, given.name) == known.end()) {
        return std::nullopt;
    }
    std::set<std::string> reads(step->reads.begin(), step->reads.end());
    for (const TensorSpec& spec : form.reference_operations->reads(given.name)) {
        reads.insert(spec.name);
    }
    for (const std::string& name : reads) {
        if (passes.made_later(name) && !inputs.has(name)) {
            return std::nullopt;
        }
    }
    const std::vector<double> exact = form.reference_operations->evaluate(given.name, inputs.views(reads));
    const DType dtype = dtype_for(given, *step, forms, inputs, passes);
    const std::vector<double> limits = limits_for(given, *step, exact, inputs, dtype, passes, network);
    // Of exact reads the limit follows from the size of the terms, and holds even where these cancel.
    const bool all_exact =
        std::ranges::all_of(step->reads, [&](const std::string& name) { return inputs.is_exact(name); });
    if (!says_something(limits, exact) && !(all_exact && exact_stays(form, *step, exact, reads, inputs))) {
        return std::nullopt;
    }
    const auto trial = given.dtype == DType::float64 ? trial_of<double> : trial_of<float>;
    IsolatedStep judged{given.name, step->in_float.name, step->reads, trial(given, exact, limits, form.graph), {}, {},
                        {},         given.shape};
    if (judged.real.verdict == Verdict::mismatch) {
        name_mistake_in(given, *step, inputs, network, exact,
                        limits_for(given, *step, exact, inputs, DType::float32, passes, network), judged.real);
    }
    if (!fails(judged.real.verdict)) {
        judged.rounding = limits;
        // In the unit of float's rounding, as the chain's limits are measured.
        const double unit = dtype == DType::float64 ? kDoubles : 1;
        for (double& rounding : judged.rounding) {
            rounding *= judged.real.used.value_or(0) / unit;
        }
    }
    judged.probe.verdict = Verdict::not_given;
    judged.real_double = judged.real;
    judged.probe_double = judged.probe;
    return judged;
}

}  // namespace

std::set<std::string> computed_in_double(const std::vector<View>& given, const std::vector<View>& oracle) {
    const auto is_the_same = [&](const View& view) {
        const View* exact = find(oracle, view.name);
        if (exact == nullptr || exact->shape != view.shape) {
            return false;
        }
        for (std::size_t i = 0; i < count(view.shape); ++i) {
            if (!(value_at(view, i) == value_at(*exact, i))) {
                return false;
            }
        }
        return true;
    };
    std::set<std::string> names;
    for (const View& view : given) {
        if (view.dtype == DType::float64 || is_the_same(view)) {
            names.insert(view.name);
        }
    }
    return names;
}

std::vector<IsolatedStep> judge_external(const std::vector<View>& given, const Graph& network,
                                         const std::vector<Form>& forms, const std::vector<View>& reference,
                                         const Limits& limits, const std::set<std::string>& in_double) {
    const Inputs inputs(given, reference, limits, in_double);
    const Passes passes(network);
    std::vector<IsolatedStep> results;
    for (const View& view : given) {
        for (const Form& form : forms) {
            if (std::optional<IsolatedStep> judged = judge_by(form, forms, view, inputs, passes, network)) {
                results.push_back(std::move(*judged));
                break;
            }
        }
    }
    return results;
}

std::vector<std::string> missing_for(const std::vector<std::string>& failing, const std::vector<View>& given,
                                     const Graph& network) {
    const Passes passes(network);
    std::map<std::string, const Step*> makers;
    for (const Step* step : all_steps(network)) {
        makers[step->makes] = step;
    }
    std::deque<std::string> open(failing.begin(), failing.end());
    std::vector<std::string> missing;
    for (; !open.empty(); open.pop_front()) {
        const auto maker = makers.find(open.front());
        if (maker == makers.end()) {
            continue;
        }
        const bool later = passes.made_later(open.front());
        for (const std::string& read : maker->second->reads) {
            const bool needed = later ? passes.made_later(read) : makers.contains(read);
            if (needed && find(given, read) == nullptr && std::ranges::find(missing, read) == missing.end()) {
                missing.push_back(read);
                open.push_back(read);
            }
        }
    }
    return missing;
}

}  // namespace byhand
