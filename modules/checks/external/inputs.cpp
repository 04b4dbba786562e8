#include "checks/external/inputs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/value.h"
#include "checks/external/external.h"
#include "harness/isolated/isolated.h"

namespace byhand {
namespace {

std::set<std::string> made_by(const StepList& list) {
    std::set<std::string> names;
    for (const Step& step : list) {
        names.insert(step.makes);
    }
    return names;
}

// The largest error of each element, with any order of its sums.
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

}  // namespace

Passes::Passes(const Graph& network)
    : forward(made_by(network.forward)), backward(made_by(network.backward)), update(made_by(network.update)) {
    std::set<std::string> kept;
    for (const TensorSpec& spec : state(network.config)) {
        kept.insert(update_of(spec.name));
    }
    std::set<std::string> of_the_state;
    for (const Step& step : network.update) {
        const bool from_state = std::ranges::none_of(step.reads, [&](const std::string& name) {
            return (forward.contains(name) || made_later(name)) && !of_the_state.contains(name);
        });
        if (from_state) {
            of_the_state.insert(step.makes);
        }
        if (from_state || !kept.contains(step.makes)) {
            derivable.insert(step.makes);
        }
    }
}

bool Inputs::has(const std::string& name) const {
    return find(given_, name) != nullptr;
}

bool Inputs::is_in_double(const std::string& name) const {
    return has(name) ? in_double_.contains(name) : view(name).dtype == DType::float64;
}

View Inputs::view(const std::string& name) const {
    if (const View* given = find(given_, name)) {
        return *given;
    }
    if (const auto derived = derived_.find(name); derived != derived_.end()) {
        return {name, derived->second.shape, DType::float64, derived->second.numbers.data()};
    }
    const View* found = find(reference_, name);
    if (found == nullptr) {
        throw std::out_of_range("the reference has no " + name);
    }
    return *found;
}

std::vector<View> Inputs::views(const std::set<std::string>& names) const {
    std::vector<View> all;
    std::ranges::transform(names, std::back_inserter(all), [this](const std::string& name) { return view(name); });
    return all;
}

std::vector<Rounded> Inputs::rounded(const std::string& name, double share) const {
    const bool is_given = has(name);
    const std::vector<double>* errors = nullptr;
    if (const auto derived = derived_.find(name); derived != derived_.end()) {
        errors = &derived->second.limits;
    } else if (const auto limit = limits_.find(name); !is_given && limit != limits_.end()) {
        errors = &limit->second;
    }
    std::vector<Rounded> all;
    for (const double value : numbers_of(view(name))) {
        const double error = errors != nullptr ? (*errors)[all.size()] : 0;
        all.push_back(Rounded::off_by(value, is_given && share > 0 ? share * std::abs(value) : error));
    }
    return all;
}

void Inputs::derive(const Graph& network, const ReferenceOperations& reference_operations, const Passes& passes) {
    for (const Step& step : network.update) {
        if (!passes.derivable.contains(step.makes) || has(step.makes)) {
            continue;
        }
        const std::set<std::string> reads = reads_of(step, reference_operations);
        const bool known = std::ranges::all_of(
            reads, [&](const std::string& name) { return has_or_derives(name) || !passes.made_later(name); });
        if (known) {
            std::vector<double> numbers = reference_operations.evaluate(step.makes, views(reads));
            std::vector<double> limits = limits_of(step, *this, DType::float32, {});
            derived_[step.makes] = {step.shape, std::move(numbers), std::move(limits)};
        }
    }
}

std::set<std::string> reads_of(const Step& step, const ReferenceOperations& reference_operations) {
    std::set<std::string> reads(step.reads.begin(), step.reads.end());
    for (const TensorSpec& spec : reference_operations.reads(step.makes)) {
        reads.insert(spec.name);
    }
    return reads;
}

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

}  // namespace byhand
