#include "harness/judge_given.h"

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

#include "harness/hints.h"
#include "harness/known_mistake.h"

namespace byhand {
namespace {

constexpr double kDoubles = 0x1p-29;  // the unit of double's rounding over that of float's

// What a step is judged by: given, or the reference's with what it may be off by.
class Inputs {
public:
    Inputs(const std::vector<View>& given, const std::vector<View>& reference, const Limits& limits)
        : given_(given), reference_(reference), limits_(limits) {}

    bool has(const std::string& name) const { return find(given_, name) != nullptr; }
    // Nothing that it may be off by: it is given, or the batch's, or of the state that the step begins with.
    bool is_exact(const std::string& name) const { return has(name) || !limits_.contains(name); }

    std::vector<View> views(const std::set<std::string>& names) const {
        std::vector<View> all;
        std::ranges::transform(names, std::back_inserter(all), [this](const std::string& name) { return view(name); });
        return all;
    }

    std::vector<Rounded> rounded(const std::string& name) const {
        std::vector<Rounded> all;
        if (const View* given = find(given_, name)) {
            for (std::size_t i = 0; i < count(given->shape); ++i) {
                all.push_back(Rounded::off_by(value_at(*given, i), 0));
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

    // Given, or the reference's.
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
};

// How far each element may be off, in whatever order its sums are taken.
std::vector<double> any_order(const Step& step, const Inputs& inputs, bool inputs_are_exact) {
    std::deque<std::vector<Rounded>> numbers;
    std::vector<Rounded> made(count(step.shape));
    execute(step, made.data(), [&](const std::string& name) -> Operand<Rounded> {
        if (const View view = inputs.view(name); view.dtype == DType::int64) {
            return static_cast<const std::int64_t*>(view.data);
        }
        std::vector<Rounded>& read = numbers.emplace_back(inputs.rounded(name));
        if (inputs_are_exact) {
            std::ranges::transform(read, read.begin(), [](const Rounded& r) { return Rounded::off_by(r.value, 0); });
        }
        return read.data();
    });
    std::vector<double> errors;
    std::ranges::transform(made, std::back_inserter(errors), &Rounded::any_order);
    return errors;
}

// The limit of each element: what its inputs may be off by, and the rounding of the same step by an equivalent formula,
// in float or in double. The reference's answer rounds as well, in double.
std::vector<double> limits_of(const Step& step, const Inputs& inputs, DType dtype) {
    std::vector<double> limits = any_order(step, inputs, false);
    const std::vector<double> own = any_order(step, inputs, true);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (dtype == DType::float64 && std::isfinite(limits[i])) {
            limits[i] = std::max(limits[i] - own[i], 0.0) + kDoubles * (kOtherWords + 2) * own[i];
        } else {
            limits[i] = (1 + 0x1p-28) * (limits[i] + (kOtherWords - 1) * own[i]);
        }
    }
    return limits;
}

bool says_something(const std::vector<double>& limits, const std::vector<double>& answer) {
    double scale = 0, widest = 0;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (std::isfinite(limits[i]) && std::isfinite(answer[i])) {
            scale = std::max(scale, std::abs(answer[i]));
            widest = std::max(widest, limits[i]);
        }
    }
    return widest <= kTooWide * scale || widest == 0;
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

// By whose limits a value is judged. One in double that is computed from floats may have been computed in float.
DType limits_for(const View& given, const std::set<std::string>& reads, const Inputs& inputs, const Passes& passes) {
    const std::set<std::string>* pass = passes.forward.contains(given.name)    ? &passes.forward
                                        : passes.backward.contains(given.name) ? &passes.backward
                                                                               : nullptr;
    const auto in_float = [&](const std::string& name) {
        return pass != nullptr && pass->contains(name) && inputs.view(name).dtype == DType::float32;
    };
    return pass == nullptr || std::ranges::any_of(reads, in_float) ? DType::float32 : given.dtype;
}

// What was made of the step's reads, against the right answer.
template <class T>
Trial trial_of(const View& given, const std::vector<double>& answer, const std::vector<double>& limits,
               const Graph& network) {
    const std::span<const T> ours(static_cast<const T*>(given.data), count(given.shape));
    Trial trial = judge(ours, answer, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), answer, limits, given.shape, network.config,
                          network.rows);
    }
    return trial;
}

// The planted mistake that makes the same of the step's reads; `network` has the steps as they should be.
std::string mistake_in(const View& given, const Step& step, const Inputs& inputs, const Graph& network,
                       const std::vector<double>& answer, const std::vector<double>& limits) {
    Values values;
    for (const View& view : inputs.views({step.reads.begin(), step.reads.end()})) {
        values.put(view);
    }
    Question question;
    question.values = std::make_shared<const Values>(std::move(values));
    question.answer = answer;
    std::vector<double> ours(count(given.shape));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        ours[i] = value_at(given, i);
    }
    return known_mistake(network, given.name, question, ours, limits);
}

// Nothing where this form has no such step, or where a gradient that it reads is not there.
std::optional<StepAlone> judge_by(const Form& form, const View& given, const Inputs& inputs, const Passes& passes,
                                  const Graph& network) {
    const Step* step = find_step(form.graph, given.name);
    const std::vector<std::string> known = form.answers->names();
    if (step == nullptr || std::ranges::find(known, given.name) == known.end()) {
        return std::nullopt;
    }
    std::set<std::string> reads(step->reads.begin(), step->reads.end());
    for (const TensorSpec& spec : form.answers->reads(given.name)) {
        reads.insert(spec.name);
    }
    for (const std::string& name : reads) {
        if (passes.made_later(name) && !inputs.has(name)) {
            return std::nullopt;
        }
    }
    const std::vector<double> answer = form.answers->answer(given.name, inputs.views(reads));
    const DType dtype = limits_for(given, reads, inputs, passes);
    const std::vector<double> limits = limits_of(*step, inputs, dtype);
    // Of exact reads the limit follows from the size of the terms, and holds even where these cancel.
    const bool exact = std::ranges::all_of(reads, [&](const std::string& name) { return inputs.is_exact(name); });
    if (!exact && !says_something(limits, answer)) {
        return std::nullopt;
    }
    const auto trial = given.dtype == DType::float64 ? trial_of<double> : trial_of<float>;
    StepAlone alone{given.name, step->in_float.name, step->reads, trial(given, answer, limits, form.graph), {}, {},
                    {},         given.shape};
    if (alone.real.verdict == Verdict::mismatch) {
        alone.real.mistake = mistake_in(given, *step, inputs, network, answer, limits);
    }
    if (!fails(alone.real)) {
        alone.rounding = limits;
        // In the unit of float's rounding, as the chain's limits are measured.
        const double unit = dtype == DType::float64 ? kDoubles : 1;
        for (double& rounding : alone.rounding) {
            rounding *= alone.real.used / unit;
        }
    }
    alone.probe.verdict = Verdict::not_given;
    alone.real_double = alone.real;
    alone.probe_double = alone.probe;
    return alone;
}

}  // namespace

std::vector<StepAlone> judge_given(const std::vector<View>& given, const Graph& network, const std::vector<Form>& forms,
                                   const std::vector<View>& reference, const Limits& limits) {
    const Inputs inputs(given, reference, limits);
    const Passes passes(network);
    std::vector<StepAlone> results;
    for (const View& view : given) {
        for (const Form& form : forms) {
            if (std::optional<StepAlone> alone = judge_by(form, view, inputs, passes, network)) {
                results.push_back(std::move(*alone));
                break;
            }
        }
    }
    return results;
}

std::vector<std::string> missing_for(const std::vector<std::string>& failing, const std::vector<View>& given,
                                     const Graph& network, const std::vector<StepAlone>& alone) {
    const Passes passes(network);
    std::map<std::string, const Step*> makers;
    for (const Step* step : all_steps(network)) {
        makers[step->makes] = step;
    }
    std::deque<std::string> open;
    for (const std::string& name : failing) {
        if (std::ranges::find(alone, name, &StepAlone::makes) == alone.end()) {
            open.push_back(name);
        }
    }
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
