#include "harness/given.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/nearest.h"

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

}  // namespace byhand
