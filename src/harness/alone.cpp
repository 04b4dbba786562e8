#include "harness/alone.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "base/tensors.h"
#include "harness/hints.h"
#include "harness/known_mistake.h"
#include "harness/shrink.h"

namespace byhand {
namespace {

// Numbers between two fences of one number, so that a function that writes there is found out.
template <class T>
class Fenced {
public:
    Fenced(std::size_t elements, T fence)
        : fence_(16 + std::min<std::size_t>(elements, 4096)), all_(elements + 2 * fence_, fence) {}

    T* data() { return all_.data() + fence_; }
    std::size_t size() const { return all_.size() - 2 * fence_; }
    std::span<const T> numbers() const { return {all_.data() + fence_, size()}; }

    bool fences_stand() const {
        const auto fence = static_cast<std::ptrdiff_t>(fence_);
        const auto bits = [](const T& number) { return std::bit_cast<Bits<T>>(number); };  // a NaN is unlike itself
        const auto is_untouched = [&](const T& number) { return bits(number) == bits(all_.front()); };
        return std::all_of(all_.begin(), all_.begin() + fence, is_untouched) &&
               std::all_of(all_.end() - fence, all_.end(), is_untouched);
    }

private:
    std::size_t fence_;
    std::vector<T> all_;
};

// What T's functions read: the float values as T, converted once a name.
template <class T>
class Operands {
public:
    explicit Operands(const Values& values) : values_(values) {}

    std::vector<Operand<T>> of(const std::vector<std::string>& names) {
        std::vector<Operand<T>> operands;
        for (const std::string& name : names) {
            if (values_.holds_indices(name)) {
                operands.emplace_back(values_.indices(name).data());
            } else {
                const std::vector<float>& numbers = values_.numbers(name);
                // Who reads past their end reads NaNs.
                constexpr T kPoison = std::numeric_limits<T>::quiet_NaN();
                auto [place, is_new] = converted_.try_emplace(name, numbers.size(), kPoison);
                if (is_new) {
                    std::ranges::copy(numbers, place->second.data());
                }
                operands.emplace_back(static_cast<const T*>(place->second.data()));
            }
        }
        return operands;
    }

    // The first name whose values a step has changed, although it was only to read them.
    std::optional<std::string> changed() const {
        for (const auto& [name, numbers] : converted_) {
            const std::vector<float>& before = values_.numbers(name);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const T was = static_cast<T>(before[i]);
                if (!(numbers.numbers()[i] == was) && !std::isnan(was)) {
                    return name;
                }
            }
            if (!numbers.fences_stand()) {
                return name;
            }
        }
        return std::nullopt;
    }

private:
    const Values& values_;
    std::map<std::string, Fenced<T>> converted_;
};

template <class T>
Fenced<T> unwritten(std::size_t elements) {
    Fenced<T> out(elements, T{-7.25});  // no NaN, which would stay one whatever is added to it
    const Bits<T> bits = kUnwritten<T>;
    for (std::size_t i = 0; i < elements; ++i) {
        std::memcpy(out.data() + i, &bits, sizeof bits);
    }
    return out;
}

// The limit of each element: what T's rounding may come to, and what the answer's own may, which sums in double and in
// an order of its own.
template <class T>
std::vector<double> limits_of(const Question& question, Leeway leeway) {
    constexpr double kDoubles = 0x1p-29;  // the unit of double's rounding over that of float's
    const double unit = (sizeof(T) == sizeof(float) ? 1 : kDoubles) * (leeway == Leeway::words ? kOtherWords : 1);
    std::vector<double> limits = leeway == Leeway::none    ? question.in_our_order
                                 : leeway == Leeway::order ? question.in_any_order
                                                           : question.in_other_words;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        limits[i] = unit * limits[i] + 2 * kDoubles * question.in_any_order[i];
    }
    return limits;
}

template <class T>
const Step<T>* find_step(const StepNetwork<T>& network, const std::string& makes) {
    for (const Step<T>* step : all_steps(network)) {
        if (step->makes == makes) {
            return step;
        }
    }
    return nullptr;
}

// What a step makes of a question, in a network of that size.
template <class T>
Made made_of(const Step<T>& step, const Question& question, Leeway leeway, const NetworkSize& size) {
    Operands<T> operands(*question.values);
    Fenced<T> out = unwritten<T>(count(step.shape));
    try {
        step.run(out.data(), operands.of(step.reads));
    } catch (const std::exception& fault) {  // somebody else's function may be one that checks
        Made none;
        none.trial.verdict = Verdict::mismatch;
        none.trial.note = fault.what();
        return none;
    }
    const std::span<const T> ours = out.numbers();
    const std::vector<double> limits = limits_of<T>(question, leeway);
    Made made{judge(ours, question.answer, limits), {ours.begin(), ours.end()}};
    Trial& trial = made.trial;
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(made.numbers, question.answer, limits, step.shape, size.network, size.rows);
    }
    if (!out.fences_stand()) {
        trial.verdict = Verdict::mismatch;
        trial.note = "writes past the end of its result";
    } else if (const auto name = operands.changed()) {
        trial.verdict = Verdict::mismatch;
        trial.overwrites = *name;
        trial.note = "overwrites " + *name + ", which it reads";
    }
    trial.in_double = sizeof(T) == sizeof(double);
    return made;
}

template <class T>
Leeway leeway_of(const Step<T>& step, const Step<Rounded>& right, const Judge& judge) {
    return step.function == right.function ? Leeway::none : judge.leeway;
}

// The steps at each of the battery's sizes.
std::vector<InBoth> at_sizes(const Judge& judge) {
    std::vector<InBoth> all;
    for (const NetworkSize& size : judge.battery->sizes()) {
        all.push_back(judge.at_size(size.network, size.rows));
    }
    return all;
}

// Returns the case on which it is wrong, if there is one.
const BatteryCase* run_on_battery(StepAlone& result, const Judge& judge, const Step<Rounded>& right,
                                  const std::vector<InBoth>& sizes) {
    const auto try_out = [&]<class T>(const Step<T>* step, const BatteryCase& one) {
        if (step != nullptr) {
            const NetworkSize& size = judge.battery->sizes()[one.size];
            result.battery.push_back(made_of(*step, one.question, leeway_of(*step, right, judge), size).trial);
            result.battery.back().on = one.on;
            result.battery.back().shape = step->shape;
        }
    };
    for (const BatteryCase& one : judge.battery->cases(result.makes, result.reads)) {
        try_out(find_step(sizes[one.size].in_float, result.makes), one);
        try_out(find_step(sizes[one.size].in_double, result.makes), one);
        if (result.wrong()) {
            return &one;
        }
    }
    return nullptr;
}

Trial& telling_of(StepAlone& step) {
    const Trial* telling = step.telling();
    for (Trial* trial : {&step.real, &step.probe, &step.real_double, &step.probe_double}) {
        if (trial == telling) {
            return *trial;
        }
    }
    return *std::ranges::find_if(step.battery, [&](const Trial& trial) { return &trial == telling; });
}

// A culprit's step once more on the question that shows it: which mistake that is, and the smallest input.
void explain(StepAlone& result, const Judge& judge, const Step<Rounded>& right, const Question& question,
             const NetworkSize& size, bool makes_small) {
    const bool in_double = result.only_in_double();
    const auto run = [&](const NetworkSize& at, const Question& asked) {
        const InBoth both = judge.at_size(at.network, at.rows);
        const auto by = [&]<class T>(const Step<T>* step) {
            return step != nullptr ? made_of(*step, asked, leeway_of(*step, right, judge), at) : Made();
        };
        return in_double ? by(find_step(both.in_double, result.makes)) : by(find_step(both.in_float, result.makes));
    };
    Trial& telling = telling_of(result);
    if (telling.verdict == Verdict::mismatch && telling.note.empty() && !in_double) {
        const Leeway leeway = result.function == right.function ? Leeway::none : judge.leeway;
        telling.mistake = known_mistake(judge.right(size.network, size.rows), result.makes, question,
                                        run(size, question).numbers, limits_of<float>(question, leeway));
    }
    if (makes_small && judge.battery != nullptr) {
        telling.smallest = shrink(result.makes, result.reads, size, *question.values,
                                  {.make = judge.battery->make_form(), .run = run});
    }
}

}  // namespace

bool StepAlone::wrong() const {
    return telling() != nullptr;
}

const Trial* StepAlone::telling() const {
    for (const Trial* trial : {&real, &probe, &real_double, &probe_double}) {
        if (fails(*trial)) {
            return trial;
        }
    }
    const auto failing = std::ranges::find_if(battery, fails);
    return failing != battery.end() ? &*failing : nullptr;
}

bool StepAlone::without_effect() const {
    const bool on_real_data = fails(real) || fails(real_double);
    return wrong() && real.note.empty() && (!on_real_data || !fails_in_chain);
}

std::optional<double> StepAlone::inherited() const {
    return error_in_chain ? std::optional(std::max(*error_in_chain - real.error, 0.0)) : std::nullopt;
}

Verdict StepAlone::verdict() const {
    if (const Trial* trial = telling()) {
        return trial->verdict;
    }
    if (real.verdict == Verdict::out_of_range || probe.verdict == Verdict::out_of_range) {
        return Verdict::out_of_range;
    }
    if (probe.verdict == Verdict::not_given) {
        return real.verdict;
    }
    if (probe.verdict == Verdict::vacuous) {
        return Verdict::vacuous;
    }
    return real.verdict == Verdict::exact && probe.verdict == Verdict::exact ? Verdict::exact : Verdict::within;
}

std::vector<StepAlone> run_alone(const StepNetwork<float>& network, const Judge& judge, const Answers& answers,
                                 Questions& questions, bool once_only, const std::function<void()>& begins) {
    const std::vector<std::string> known = answers.names();
    const bool on_battery = once_only && judge.battery != nullptr;
    const std::vector<InBoth> sizes = on_battery ? at_sizes(judge) : std::vector<InBoth>();
    std::vector<StepAlone> results;
    for (const Step<float>* step : all_steps(network)) {
        const Step<Rounded>* bound = find_step(judge.bounds, step->makes);
        if (bound == nullptr || std::ranges::find(known, step->makes) == known.end()) {
            continue;
        }
        if (begins) {
            begins();
        }
        StepAlone result{step->makes, step->function, step->reads, {}, {}, {}, {}, step->shape};
        const Question& real = questions.real(*bound, step->reads, answers);
        const Question& probe = questions.probe(*bound, step->reads, answers);
        const NetworkSize own{judge.bounds.config, network.rows};
        const auto trial_of = [&](const auto& by, const Question& question) {
            return made_of(by, question, leeway_of(by, *bound, judge), own).trial;
        };
        result.real = trial_of(*step, real);
        result.probe = trial_of(*step, probe);
        const Step<double>* in_double = find_step(judge.in_double, step->makes);
        result.real_double = result.real;
        result.probe_double = result.probe;
        if (once_only && in_double != nullptr) {
            result.real_double = trial_of(*in_double, real);
            result.probe_double = trial_of(*in_double, probe);
        }
        const Leeway leeway = leeway_of(*step, *bound, judge);
        if (leeway == Leeway::words && !result.wrong()) {
            result.rounding = limits_of<float>(real, leeway);
            for (double& rounding : result.rounding) {
                rounding *= result.real.used;
            }
        }
        const BatteryCase* shown =
            on_battery && !result.wrong() ? run_on_battery(result, judge, *bound, sizes) : nullptr;
        if (result.wrong() && judge.right && judge.at_size) {
            const bool by_batch = !result.not_on_batch();
            explain(result, judge, *bound,
                    shown != nullptr ? shown->question
                    : by_batch       ? real
                                     : probe,
                    shown != nullptr ? judge.battery->sizes()[shown->size] : own, once_only && !by_batch);
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace byhand
