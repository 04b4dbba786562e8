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

template <class T>
Trial trial_of(const Step<T>& step, const Question& question, Leeway leeway, std::size_t rows) {
    Operands<T> operands(*question.values);
    Fenced<T> out = unwritten<T>(count(step.shape));
    try {
        step.run(out.data(), operands.of(step.reads));
    } catch (const std::exception& fault) {  // somebody else's function may be one that checks
        Trial trial;
        trial.verdict = Verdict::mismatch;
        trial.note = fault.what();
        return trial;
    }
    const std::span<const T> ours = out.numbers();
    const std::vector<double> limits = limits_of<T>(question, leeway);
    Trial trial = judge(ours, question.answer, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), question.answer, limits, step.shape, rows);
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
    return trial;
}

// The steps at each of the battery's sizes.
std::vector<InBoth> at_sizes(const Judge& judge) {
    std::vector<InBoth> all;
    for (const NetworkSize& size : judge.battery->sizes()) {
        all.push_back(judge.at_size(size.network, size.rows));
    }
    return all;
}

void run_on_battery(StepAlone& result, const Judge& judge, const Step<Rounded>& right,
                    const std::vector<InBoth>& sizes) {
    const auto try_out = [&]<class T>(const StepNetwork<T>& network, const BatteryCase& one) {
        for (const Step<T>* step : all_steps(network)) {
            if (step->makes == result.makes) {
                const Leeway leeway = step->function == right.function ? Leeway::none : judge.leeway;
                Trial& trial = result.battery.emplace_back(trial_of(*step, one.question, leeway, network.rows));
                trial.on = one.on + (step->function.starts_with(result.function + " ")
                                         ? step->function.substr(result.function.size())
                                         : "");
                trial.shape = step->shape;
            }
        }
    };
    for (const BatteryCase& one : judge.battery->cases(result.makes, result.reads)) {
        try_out(sizes[one.size].in_float, one);
        try_out(sizes[one.size].in_double, one);
        if (result.wrong()) {
            break;
        }
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
        const Leeway leeway = step->function == bound->function ? Leeway::none : judge.leeway;
        result.real = trial_of(*step, real, leeway, network.rows);
        result.probe = trial_of(*step, probe, leeway, network.rows);
        const Step<double>* in_double = find_step(judge.in_double, step->makes);
        result.real_double = result.real;
        result.probe_double = result.probe;
        if (once_only && in_double != nullptr) {
            const Leeway in_doubles = in_double->function == bound->function ? Leeway::none : judge.leeway;
            result.real_double = trial_of(*in_double, real, in_doubles, network.rows);
            result.probe_double = trial_of(*in_double, probe, in_doubles, network.rows);
        }
        if (leeway == Leeway::words && !result.wrong()) {
            result.rounding = limits_of<float>(real, leeway);
            for (double& rounding : result.rounding) {
                rounding *= result.real.used;
            }
        }
        if (on_battery && !result.wrong()) {
            run_on_battery(result, judge, *bound, sizes);
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace byhand
