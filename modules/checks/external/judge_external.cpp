#include "checks/external/judge_external.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "checks/external/external.h"
#include "checks/external/inputs.h"
#include "checks/faults/mistakes.h"
#include "harness/isolated/diagnose.h"
#include "harness/isolated/hints.h"

namespace byhand {
namespace {

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
                    for (const double number : numbers_of(inputs_.view(read))) {
                        numbers.push_back(Rounded::off_by(number, 0));
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
bool is_informative(const std::vector<double>& limits, const std::vector<double>& exact) {
    const Extremes extremes = extremes_of(view_of(exact), limits);
    return is_informative(extremes, extremes.widest) || extremes.widest == 0;
}

// By whose limits a value is judged. One in double that is computed from floats may have been computed in float, in
// part; and of floats that were rounded, another formula makes other numbers. So all forward values count that one of
// the forms reads for it, and the gradients that `step` reads.
DType dtype_for(const View& given, const Step& step, const std::vector<SizedForm>& forms, const Inputs& inputs,
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
    for (const SizedForm& form : forms) {
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
bool exact_stays(const SizedForm& form, const Step& step, const std::vector<double>& exact,
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

bool all_finite(const View& view) {
    return std::ranges::all_of(numbers_of(view), [](double x) { return std::isfinite(x); });
}

// If an element that the step reads is not finite, each of its result may be: a formula may multiply that one by 0.
void excuse_inherited(std::vector<double>& limits, const View& given, const std::vector<View>& reads) {
    if (std::ranges::all_of(reads, all_finite)) {
        return;
    }
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (!std::isfinite(value_at(given, i))) {
            limits[i] = std::numeric_limits<double>::infinity();
        }
    }
}

// Names the mistake that makes the same of the step's reads, within the limits of float; `network` has the steps as
// they should be.
void name_mistake_in(const View& given, const Step& step, const Inputs& inputs, const Graph& network,
                     const std::vector<double>& exact, const std::vector<double>& limits, Trial& trial) {
    Tensors<double> values;
    for (const View& view : inputs.views({step.reads.begin(), step.reads.end()})) {
        values.put(view);
    }
    StepInput input;
    input.values = std::make_shared<const Tensors<double>>(std::move(values));
    input.exact = exact;
    name_mistake(trial, given.name, {{network, input, numbers_of(given), limits}}, mistakes());
}

// A wrong step may be right if the inputs that were derived were computed otherwise.
void hint_at_derived(Trial& trial, const Step& step, const Inputs& inputs) {
    std::string names;
    for (const std::string& name : step.reads) {
        if (!inputs.has(name) && inputs.has_or_derives(name)) {
            names += (names.empty() ? "" : ", ") + name;
        }
    }
    if (!names.empty() && trial.hint.empty() && trial.mistake == nullptr) {
        trial.hint = names + " are derived from the file's other values; give them too, in case they are wrong";
    }
}

// Nothing if this form has no such step, or a gradient that it reads is missing.
std::optional<IsolatedStep> judge_by(const SizedForm& form, const std::vector<SizedForm>& forms, const View& given,
                                     const Inputs& inputs, const Passes& passes, const Graph& network) {
    const Step* step = find_step(form.graph, given.name);
    const std::vector<std::string> known = form.reference_operations->names();
    if (step == nullptr || std::ranges::find(known, given.name) == known.end()) {
        return std::nullopt;
    }
    const std::set<std::string> reads = reads_of(*step, *form.reference_operations);
    for (const std::string& name : reads) {
        if (passes.made_later(name) && !inputs.has_or_derives(name)) {
            return std::nullopt;
        }
    }
    const std::vector<double> exact = form.reference_operations->evaluate(given.name, inputs.views(reads));
    const DType dtype = dtype_for(given, *step, forms, inputs, passes);
    std::vector<double> limits = limits_for(given, *step, exact, inputs, dtype, passes, network);
    excuse_inherited(limits, given, inputs.views(reads));
    // Of exact reads the limit follows from the size of the terms, and holds even where these cancel.
    const bool all_exact =
        std::ranges::all_of(step->reads, [&](const std::string& name) { return inputs.is_exact(name); });
    if (!is_informative(limits, exact) && !(all_exact && exact_stays(form, *step, exact, reads, inputs))) {
        return std::nullopt;
    }
    const RightResult right{given.name, given.shape, exact, limits,
                            [&] { return extents_of(form.graph.config, form.graph.rows); }};
    const auto judge = [&]<class T>(const T* numbers) {
        return trial_of(std::span(numbers, count(given.shape)), right);
    };
    IsolatedStep judged{given.name, step->in_float.name, step->reads, given.shape, {}};
    judged.trials = {given.dtype == DType::float64 ? judge(static_cast<const double*>(given.data))
                                                   : judge(static_cast<const float*>(given.data))};
    Trial& trial = judged.trials.front();
    if (trial.verdict == Verdict::mismatch) {
        name_mistake_in(given, *step, inputs, network, exact,
                        limits_for(given, *step, exact, inputs, DType::float32, passes, network), trial);
    }
    if (fails(trial.verdict)) {
        hint_at_derived(trial, *step, inputs);
    } else {
        judged.rounding = limits;
        // In the unit of float's rounding, as the chain's limits are measured.
        const double unit = dtype == DType::float64 ? kDoubles : 1;
        for (double& rounding : judged.rounding) {
            rounding = std::isfinite(rounding) ? rounding * trial.used.value_or(0) / unit : 0;
        }
    }
    return judged;
}

}  // namespace

std::set<std::string> computed_in_double(const std::vector<View>& given, const std::vector<View>& oracle) {
    const auto is_the_same = [&](const View& view) {
        const View* exact = find(oracle, view.name);
        return exact != nullptr && exact->shape == view.shape && numbers_of(view) == numbers_of(*exact);
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
                                         const std::vector<SizedForm>& forms, const std::vector<View>& reference,
                                         const Limits& limits, const std::set<std::string>& in_double) {
    Inputs inputs(given, reference, limits, in_double);
    const Passes passes(network);
    inputs.derive(network, *forms.front().reference_operations, passes);
    std::vector<IsolatedStep> results;
    for (const View& view : given) {
        for (const SizedForm& form : forms) {
            if (std::optional<IsolatedStep> judged = judge_by(form, forms, view, inputs, passes, network)) {
                results.push_back(std::move(*judged));
                break;
            }
        }
    }
    return results;
}

void leave_out_unrelated(std::vector<IsolatedStep>& isolated, const std::vector<ValueReport>& compared,
                         const Graph& network) {
    const Passes passes(network);
    const auto end_to_end = [&](const std::string& name) {
        const auto value = std::ranges::find(compared, name, &ValueReport::name);
        const Finding* finding = value != compared.end() ? value->in_chain() : nullptr;
        return finding != nullptr ? finding->verdict : Verdict::not_given;
    };
    const std::function<bool(const std::string&)> is_off = [&](const std::string& name) {
        const Verdict verdict = end_to_end(name);
        return verdict == Verdict::not_given && passes.derivable.contains(name)
                   ? std::ranges::any_of(find_step(network, name)->reads, is_off)
                   : fails(verdict);
    };
    std::erase_if(isolated, [&](const IsolatedStep& step) {
        return step.wrong() && !contradicts(end_to_end(step.makes)) && std::ranges::any_of(step.reads, is_off);
    });
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
    std::set<std::string> seen;
    for (; !open.empty(); open.pop_front()) {
        const auto maker = makers.find(open.front());
        if (maker == makers.end()) {
            continue;
        }
        const bool later = passes.made_later(open.front());
        for (const std::string& read : maker->second->reads) {
            const bool needed = later ? passes.made_later(read) : makers.contains(read);
            if (needed && find(given, read) == nullptr && seen.insert(read).second) {
                open.push_back(read);
                if (!passes.derivable.contains(read)) {
                    missing.push_back(read);
                }
            }
        }
    }
    return missing;
}

}  // namespace byhand
