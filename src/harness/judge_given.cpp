#include "harness/judge_given.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "harness/hints.h"

namespace byhand {
namespace {

// What a step is judged by: given, or the reference's with what it may be off by.
class Inputs {
public:
    Inputs(const std::vector<View>& given, const Values& reference, const Limits& limits)
        : given_(given), reference_(reference), limits_(limits) {}

    bool has(const std::string& name) const { return find(given_, name) != nullptr; }

    std::vector<View> views(const std::set<std::string>& names) const {
        std::vector<View> all;
        const std::vector<View> others = reference_.views();
        for (const std::string& name : names) {
            const View* given = find(given_, name);
            all.push_back(given != nullptr ? *given : *find(others, name));
        }
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
        const std::vector<float>& numbers = reference_.numbers(name);
        const auto limit = limits_.find(name);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            all.push_back(
                Rounded::off_by(static_cast<double>(numbers[i]), limit != limits_.end() ? limit->second[i] : 0));
        }
        return all;
    }

    const std::int64_t* indices(const std::string& name) const { return reference_.indices(name).data(); }
    bool are_indices(const std::string& name) const { return reference_.holds_indices(name); }

private:
    const std::vector<View>& given_;
    const Values& reference_;
    const Limits& limits_;
};

// How far each element may be off, in whatever order its sums are taken.
std::vector<double> any_order(const Step<Rounded>& step, const Inputs& inputs, bool inputs_are_exact) {
    std::deque<std::vector<Rounded>> numbers;
    std::vector<Operand<Rounded>> operands;
    for (const std::string& name : step.reads) {
        if (inputs.are_indices(name)) {
            operands.emplace_back(inputs.indices(name));
        } else {
            std::vector<Rounded>& read = numbers.emplace_back(inputs.rounded(name));
            if (inputs_are_exact) {
                std::ranges::transform(read, read.begin(),
                                       [](const Rounded& r) { return Rounded::off_by(r.value, 0); });
            }
            operands.emplace_back(static_cast<const Rounded*>(read.data()));
        }
    }
    std::vector<Rounded> made(count(step.shape));
    step.run(made.data(), operands);
    std::vector<double> errors;
    std::ranges::transform(made, std::back_inserter(errors), &Rounded::any_order);
    return errors;
}

// The limit of each element: what its inputs may be off by, and the rounding of somebody else's words for it.
std::vector<double> limits_of(const Step<Rounded>& step, const Inputs& inputs) {
    std::vector<double> limits = any_order(step, inputs, false);
    const std::vector<double> own = any_order(step, inputs, true);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        limits[i] = (1 + 0x1p-28) * (limits[i] + (kOtherWords - 1) * own[i]);
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

// Made by no forward step: gradients, and what the update makes of them. Somebody else's are not the reference's.
std::set<std::string> made_later(const StepNetwork<float>& network) {
    std::set<std::string> names;
    for (const StepList<float>* list : {&network.backward, &network.update}) {
        for (const Step<float>& step : list->steps()) {
            names.insert(step.makes);
        }
    }
    return names;
}

const Step<Rounded>* find_step(const StepNetwork<Rounded>& network, const std::string& makes) {
    for (const Step<Rounded>* step : all_steps(network)) {
        if (step->makes == makes) {
            return step;
        }
    }
    return nullptr;
}

// Nothing where this form has no such step, or where a gradient that it reads is not there.
std::optional<StepAlone> judge_by(const Form& form, const View& given, const Inputs& inputs,
                                  const std::set<std::string>& later) {
    const Step<Rounded>* step = find_step(form.bounds, given.name);
    const std::vector<std::string> known = form.answers->names();
    if (step == nullptr || std::ranges::find(known, given.name) == known.end()) {
        return std::nullopt;
    }
    std::set<std::string> reads(step->reads.begin(), step->reads.end());
    for (const TensorSpec& spec : form.answers->reads(given.name)) {
        reads.insert(spec.name);
    }
    for (const std::string& name : reads) {
        if (later.contains(name) && !inputs.has(name)) {
            return std::nullopt;
        }
    }
    const std::vector<double> answer = form.answers->answer(given.name, inputs.views(reads));
    const std::vector<double> limits = limits_of(*step, inputs);
    if (!says_something(limits, answer)) {
        return std::nullopt;
    }
    const std::span<const float> ours(static_cast<const float*>(given.data), count(given.shape));
    StepAlone alone{given.name, step->function, step->reads, judge(ours, answer, limits), {}, {}, {}, given.shape};
    if (alone.real.verdict == Verdict::mismatch) {
        alone.real.hint = hint(std::vector<double>(ours.begin(), ours.end()), answer, limits, given.shape,
                               form.bounds.config, form.bounds.rows);
    }
    if (!fails(alone.real)) {
        alone.rounding = limits;
        for (double& rounding : alone.rounding) {
            rounding *= alone.real.used;
        }
    }
    alone.probe.verdict = Verdict::not_given;
    alone.real_double = alone.real;
    alone.probe_double = alone.probe;
    return alone;
}

}  // namespace

std::vector<StepAlone> judge_given(const std::vector<View>& given, const StepNetwork<float>& network,
                                   const std::vector<Form>& forms, const Values& reference, const Limits& limits) {
    const Inputs inputs(given, reference, limits);
    const std::set<std::string> later = made_later(network);
    std::vector<StepAlone> results;
    for (const View& view : given) {
        for (const Form& form : forms) {
            if (std::optional<StepAlone> alone = judge_by(form, view, inputs, later)) {
                results.push_back(std::move(*alone));
                break;
            }
        }
    }
    return results;
}

}  // namespace byhand
