#include "harness/isolated/step_inputs.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "base/hash.h"
#include "harness/isolated/draws.h"

namespace byhand {

namespace {

// The right function's result on these values; those for which `is_off` holds are off by the distance between subnormal
// numbers.
template <class IsOff>
std::vector<Rounded> bounds_of(const Step& right, const Tensors<double>& values, IsOff is_off) {
    return result_on<Rounded>(right, values, [&](const std::string&, std::span<const double> numbers) {
        std::vector<Rounded> read;
        read.reserve(numbers.size());
        for (const double x : numbers) {
            read.push_back(Rounded::off_by(x, is_off(x) ? 0x1p-149 : 0));
        }
        return read;
    });
}

// A factor from a thousandth to a thousand may make it, or leave it, too small to be normal.
bool may_be_subnormal(double x) {
    return x != 0 && std::abs(x) < 1024 * static_cast<double>(std::numeric_limits<float>::min());
}

// In the place of a NaN, one after the other: of either sign, below and above what is drawn, and so small that no
// number is lost in a sum with it.
constexpr double kInsteadOfNaN[] = {0.25, -0.5, 2, -3, 4, -5};

template <class Holds>
bool has(const Tensors<double>& values, Holds holds) {
    return std::ranges::any_of(values.table(), [&](const TensorSpec& spec) {
        return !values.holds_indices(spec.name) && std::ranges::any_of(values[spec.name], holds);
    });
}

// The values with `x`, or about as much, for each NaN.
Tensors<double> without_nan(Tensors<double> values, double x) {
    values.change_numbers([x](double number, std::size_t i) {
        return std::isnan(number) ? x * (1 + 0x1p-6 * static_cast<double>(i % 7)) : number;
    });
    return values;
}

// Formulations may differ in what they make of a NaN: a maximum passes it by, a mask is a product or a choice. Every
// one makes a NaN of it if each number in its place makes another result; and what each makes the same does not depend
// on it. What is left has no limit.
void add_classes(StepInput& input, const std::string& makes, const ReferenceOperations& reference_operations) {
    if (!has(*input.values, [](double x) { return !std::isfinite(x); })) {
        return;
    }
    const bool has_nan = has(*input.values, [](double x) { return std::isnan(x); });
    std::vector<std::vector<double>> others;
    for (const double x : has_nan ? std::span(kInsteadOfNaN) : std::span<const double>()) {
        others.push_back(reference_operations.evaluate(makes, without_nan(*input.values, x).views()));
    }
    input.of_class.resize(input.exact.size());
    for (std::size_t i = 0; i < input.exact.size(); ++i) {
        std::vector<double> made;
        for (const std::vector<double>& other : others) {
            if (std::isfinite(other.at(i))) {
                made.push_back(other[i]);
            }
        }
        const bool is_same =
            made.size() == others.size() && std::ranges::all_of(made, [&](double x) { return x == input.exact[i]; });
        std::ranges::sort(made);
        const bool depends =
            2 * made.size() >= std::size(kInsteadOfNaN) && std::ranges::adjacent_find(made) == made.end();
        input.of_class[i] = std::isnan(input.exact[i]) ? depends : std::isinf(input.exact[i]) && is_same;
        for (std::vector<double>* limits : {&input.in_our_order, &input.in_any_order, &input.in_other_words}) {
            if (!is_same && i < limits->size()) {
                (*limits)[i] = std::numeric_limits<double>::infinity();
            }
        }
    }
}

}  // namespace

std::vector<Rounded> rounded_result(const Step& step, const Tensors<double>& values) {
    return bounds_of(step, values, [](double) { return false; });
}

StepInput make_step_input(const Step& right, const ReferenceOperations& reference_operations,
                          std::shared_ptr<const Tensors<double>> values) {
    StepInput input;
    input.values = std::move(values);
    input.exact = reference_operations.evaluate(right.makes, input.values->views());
    const std::vector<Rounded> made = rounded_result(right, *input.values);
    std::ranges::transform(made, std::back_inserter(input.in_our_order), &Rounded::error);
    std::ranges::transform(made, std::back_inserter(input.in_any_order), &Rounded::any_order);
    const auto has_small = [&](const std::string& name) {
        return !input.values->holds_indices(name) && std::ranges::any_of((*input.values)[name], may_be_subnormal);
    };
    input.in_other_words = input.in_any_order;
    if (std::ranges::any_of(right.reads, has_small)) {
        std::ranges::transform(bounds_of(right, *input.values, may_be_subnormal), input.in_other_words.begin(),
                               &Rounded::any_order);
    }
    for (std::size_t i = 0; i < std::min(made.size(), input.exact.size()); ++i) {
        input.in_other_words[i] = std::max(input.in_other_words[i], 0x1p-24 * std::abs(input.exact[i]));
    }
    add_classes(input, right.makes, reference_operations);
    return input;
}

SizedForm Form::at(const NetworkConfig& network, std::size_t rows) const {
    SizedForm form{make_graph(network, rows), make_reference_operations(network, rows), {}};
    form.shapes = shapes_of(form.graph);
    for (const std::string& name : form.reference_operations->names()) {  // a piece may read what no other makes
        for (const TensorSpec& spec : form.reference_operations->reads(name)) {
            form.shapes.emplace(spec.name, spec.shape);
        }
    }
    return form;
}

std::vector<TensorSpec> read_by(const Step& right, const std::vector<std::string>& reads,
                                const ReferenceOperations& reference_operations,
                                const std::map<std::string, Shape>& shapes) {
    std::vector<TensorSpec> specs = reference_operations.reads(right.makes);
    for (const std::vector<std::string>* names : {&right.reads, &reads}) {
        for (const std::string& name : *names) {
            if (std::ranges::find(specs, name, &TensorSpec::name) == specs.end()) {
                specs.push_back({name, shapes.at(name)});
            }
        }
    }
    return specs;
}

std::uint64_t stream_of(const std::string& name, std::uint64_t seed) {
    for (const char letter : name) {
        seed = mixed(seed ^ static_cast<unsigned char>(letter));
    }
    return seed;
}

std::vector<View> with_inputs(std::vector<View> values, const Batch& batch, std::size_t context, const float* rate) {
    values.push_back({"X", {batch.rows, context}, DType::int64, batch.X});
    values.push_back({"Y", {batch.rows}, DType::int64, batch.Y});
    values.push_back({"rate", {}, DType::float32, rate});
    return values;
}

StepInputs::StepInputs(const std::vector<View>& reference, std::size_t vocabulary, std::uint64_t seed,
                       std::map<std::string, ValueRange> ranges)
    : vocabulary_(vocabulary), seed_(seed), ranges_(std::move(ranges)) {
    Tensors<double> values;
    for (const View& view : reference) {
        shapes_[view.name] = view.shape;
        values.put(view);
    }
    reference_ = std::make_shared<const Tensors<double>>(std::move(values));
}

const StepInput& StepInputs::of(TrialInput kind, const Step& right, const std::vector<std::string>& reads,
                                const ReferenceOperations& reference_operations, bool in_double) {
    const bool is_batch = kind == TrialInput::batch;
    std::vector<std::string> key = {is_batch ? "batch" : "random", in_double ? "double" : "float", right.makes,
                                    right.rounded.name};
    for (const std::vector<std::string>* names : {&right.reads, &reads}) {
        key.emplace_back("");
        key.insert(key.end(), names->begin(), names->end());
    }
    key.emplace_back("");
    std::ranges::transform(reference_operations.reads(right.makes), std::back_inserter(key), &TensorSpec::name);
    const auto [place, is_new] = inputs_.try_emplace(std::move(key));
    if (!is_new) {
        return place->second;
    }
    if (is_batch && in_double && reference_in_double_ == nullptr) {
        reference_in_double_ = std::make_shared<const Tensors<double>>(with_digits_of_doubles(*reference_));
    }
    std::shared_ptr<const Tensors<double>> values = in_double ? reference_in_double_ : reference_;
    if (!is_batch) {
        const std::vector<TensorSpec> specs = read_by(right, reads, reference_operations, shapes_);
        Tensors<double> drawn = draw(specs, ranges_, {}, vocabulary_, stream_of(right.makes, seed_));
        values = std::make_shared<const Tensors<double>>(in_double ? with_digits_of_doubles(drawn) : std::move(drawn));
    }
    place->second = make_step_input(right, reference_operations, std::move(values));
    return place->second;
}

}  // namespace byhand
