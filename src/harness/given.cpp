#include "harness/given.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/nearest.h"
#include "harness/hints.h"

namespace byhand {
namespace {

// X, Y, the state, and everything that a step makes.
std::vector<TensorSpec> all_specs(const StepNetwork<float>& network) {
    std::vector<TensorSpec> all = {{"X", {network.rows, network.config.context}}, {"Y", {network.rows}}};
    for (const TensorSpec& spec : state(network.config)) {
        all.push_back(spec);
    }
    for (const Step<float>* step : all_steps(network)) {
        all.push_back({step->makes, step->shape});
    }
    return all;
}

bool is_weight(const NetworkConfig& config, std::string name) {
    for (const char* prefix : {"new_", "d"}) {
        if (name.starts_with(prefix)) {
            name.erase(0, std::string(prefix).size());
        }
    }
    return std::ranges::any_of(layers(config), [&](const Layer& layer) { return name == layer.W(); });
}

Shape turned(const Shape& shape) {
    return {shape.rbegin(), shape.rend()};
}

const char* type_name(DType dtype) {
    return dtype == DType::int64 ? "whole numbers (I64)" : dtype == DType::float64 ? "F64" : "F32";
}

}  // namespace

GivenSide::GivenSide(const StepNetwork<float>& network, const std::vector<View>& given, std::string where)
    : config_(network.config), where_(std::move(where)) {
    const std::vector<TensorSpec> known = all_specs(network);
    std::vector<std::string> names;
    std::ranges::transform(known, std::back_inserter(names), &TensorSpec::name);
    if (given.empty()) {
        throw InputError(where_ + " holds no tensors; give some by their bare names, as dW1");
    }
    bool out_in = false, in_double = false;
    for (const View& view : given) {
        const auto spec = std::ranges::find(known, view.name, &TensorSpec::name);
        if (spec == known.end()) {
            throw InputError(where_ + ": this network has no " + view.name + "; the nearest name is " +
                             nearest(view.name, names) + " (byhand explain lists them all)");
        }
        const bool whole = view.name == "X" || view.name == "Y";
        if (whole != (view.dtype == DType::int64)) {
            throw InputError(where_ + ": " + view.name + " holds " + type_name(view.dtype) + ", and should be " +
                             (whole ? "whole numbers (I64)" : "F32 or F64"));
        }
        if (view.shape != spec->shape) {
            if (!is_weight(config_, view.name) || view.shape != turned(spec->shape)) {
                throw InputError(where_ + ": " + view.name + " is " + to_string(view.shape) + ", and should be " +
                                 to_string(spec->shape));
            }
            out_in = true;
        }
        in_double = in_double || view.dtype == DType::float64;
    }
    for (const TensorSpec& spec : known) {
        if (const View* view = find(given, spec.name)) {
            take(*view, spec.shape, out_in && is_weight(config_, spec.name));
        }
    }
    if (out_in) {
        said_.emplace_back("weights and their gradients are (out, in) there, as PyTorch keeps them: transposed");
    }
    if (in_double) {
        said_.emplace_back("what is F64 there is rounded to float");
    }
}

void GivenSide::take(const View& view, const Shape& shape, bool out_in) {
    if (view.dtype == DType::int64) {
        const auto* first = static_cast<const std::int64_t*>(view.data);
        indices_[view.name] = {first, first + count(shape)};
        return;
    }
    if (out_in && view.shape != turned(shape)) {
        throw InputError(where_ + ": " + view.name + " is " + to_string(view.shape) + " (in, out), while others are " +
                         "(out, in), as PyTorch keeps them; give all one way");
    }
    std::vector<float>& numbers = numbers_[view.name];
    numbers.resize(count(shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t from = out_in ? i % shape[1] * shape[0] + i / shape[1] : i;
        numbers[i] = static_cast<float>(value_at(view, from));
    }
    specs_.push_back({view.name, shape});
}

void GivenSide::load(const Tensors<float>& state) {
    state_ = state;
}

void GivenSide::run(const Batch& batch, float /*rate*/) {
    batch_ = batch;
}

std::vector<View> GivenSide::views() const {
    const auto refuse = [this](const std::string& name, const std::string& what) {
        throw InputError(where_ + ": " + name + " is not " + what +
                         "; compute from a dump of the same recipe, seed and step (byhand compare --dump)");
    };
    for (const auto& [name, numbers] : indices_) {
        const std::int64_t* right = name == "X" ? batch_.X : batch_.Y;
        if (!std::equal(numbers.begin(), numbers.end(), right)) {
            refuse(name, "this step's batch");
        }
    }
    std::vector<View> all;
    for (const TensorSpec& spec : specs_) {
        const std::vector<float>& numbers = numbers_.at(spec.name);
        if (state_.contains(spec.name) && !std::ranges::equal(numbers, state_[spec.name])) {
            refuse(spec.name, "what this step begins with");
        }
        all.push_back({spec.name, spec.shape, DType::float32, numbers.data()});
    }
    return all;
}

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

// The same step in other words rounds more often than ours: a quotient as a product with the reciprocal, a constant
// that is rounded before it is used, an exp taken once more. It may come to so many times our own rounding.
constexpr double kOtherWords = 4;

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
                                  const std::set<std::string>& later, std::size_t rows) {
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
        alone.real.hint = hint(std::vector<double>(ours.begin(), ours.end()), answer, limits, given.shape, rows);
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
            if (std::optional<StepAlone> alone = judge_by(form, view, inputs, later, network.rows)) {
                results.push_back(std::move(*alone));
                break;
            }
        }
    }
    return results;
}

}  // namespace byhand
