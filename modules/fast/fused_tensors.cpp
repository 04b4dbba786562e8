#include "fast/fused_tensors.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <span>
#include <utility>

#include "base/value.h"
#include "fast/panels.h"

namespace byhand {
namespace {

// The embedding, its gradient and the optimizer's state for it are accessed by whole rows, selected by characters: they
// are not stored in panels.
bool in_panels(const TensorSpec& spec) {
    const std::string parameter = without_role(without_kind(spec.name));
    return spec.shape.size() == 2 && parameter != "C";
}

bool is_of_layer(const Operation& one) {
    return one.op != op::kEmbedding && one.op != op::kFlatten && one.op != op::kCrossEntropy;
}

// nullopt if the fused step does not support it. Precondition: is_of_layer.
std::optional<FusedKind> kind_of(const Operation& one) {
    static const std::map<std::string, FusedKind> kKinds = {
        {op::kLinear, FusedKind::linear},      {op::kBatchnorm, FusedKind::batch_norm},
        {op::kLayernorm, FusedKind::row_norm}, {op::kRmsnorm, FusedKind::row_norm},
        {op::kResidual, FusedKind::residual},  {op::kDropout, FusedKind::dropout}};
    if (const auto known = kKinds.find(one.op); known != kKinds.end()) {
        return known->second;
    }
    return simd::activation_of(one.op) ? std::optional(FusedKind::activation) : std::nullopt;
}

NormNames norm_names(const Operation& one) {
    const auto value = [&](const char* name) { return one.layer.value(name); };
    const bool affine = one.norm.affine;
    const auto named = [&](const char* gain, const char* var, const char* inv, const char* raw) {
        return NormNames{.gain = affine ? value(gain) : "",
                         .bias = "",
                         .mean = "",
                         .var = value(var),
                         .inv = value(inv),
                         .raw = affine ? value(raw) : one.output};
    };
    if (one.op == op::kRmsnorm) {
        return named("rmsgain", "rmsmean", "rms_inv", "rmsraw");
    }
    const bool is_batch_norm = one.op == op::kBatchnorm;
    NormNames names =
        is_batch_norm ? named("bngain", "bnvar", "bnvar_inv", "bnraw") : named("lngain", "lnvar", "lnvar_inv", "lnraw");
    names.mean = value(is_batch_norm ? "bnmeani" : "lnmean");
    names.bias = affine ? value(is_batch_norm ? "bnbias" : "lnbias") : "";
    return names;
}

bool is_norm(const FusedOperation& one) {
    return one.kind == FusedKind::batch_norm || one.kind == FusedKind::row_norm;
}

// Whether the backward pass reads the array of the operation's result.
bool is_read_backward(const FusedOperation& one) {
    return one.makes == one.norm.raw || (one.activation && !simd::stores_derivative(*one.activation));
}

// Lets every value that is not kept share the array of the next one.
void share_arrays(std::vector<FusedOperation>& operations, const std::vector<std::string>& added, Keep keep) {
    FusedOperation* next = nullptr;
    for (FusedOperation& one : operations | std::views::reverse) {
        const bool stays = keep == Keep::all || next == nullptr || is_read_backward(one) ||
                           std::ranges::find(added, one.makes) != added.end();
        if (!stays) {
            one.makes = is_norm(*next) ? next->norm.raw : next->makes;
        }
        if (next != nullptr) {
            next->reads = one.makes;
        }
        next = &one;
    }
}

// The values that residual connections add to others.
std::vector<std::string> added_values(const std::vector<Operation>& operations) {
    std::vector<std::string> added;
    for (const Operation& one : operations) {
        if (one.op == op::kResidual) {
            added.push_back(one.added);
        }
    }
    return added;
}

// Each name once, without the empty one.
struct UniqueSpecs {
    std::vector<TensorSpec> table;

    void keep(const std::string& name, Shape shape) {
        if (!name.empty() && std::ranges::find(table, name, &TensorSpec::name) == table.end()) {
            table.push_back({name, std::move(shape)});
        }
    }
};

void keep_values(UniqueSpecs& names, const FusedPattern& pattern, std::size_t n) {
    const Layer& layer = pattern.layer;
    const Shape wide = {n * layer.positions, layer.outputs};
    for (const FusedOperation& one : pattern.operations) {
        if (is_norm(one)) {
            const Shape statistics = {one.kind == FusedKind::row_norm ? wide.front() : layer.outputs};
            for (const std::string& name : {one.norm.mean, one.norm.var, one.norm.inv}) {
                names.keep(name, statistics);
            }
            names.keep(one.norm.raw, wide);
        } else if (one.kind == FusedKind::dropout) {
            names.keep(layer.value("keepmask"), wide);
        }
        names.keep(one.makes, wide);
    }
}

void keep_gradients(UniqueSpecs& names, const FusedPattern& pattern, std::size_t n, Keep wanted) {
    const Layer& layer = pattern.layer;
    const std::size_t H = layer.outputs;
    for (const FusedOperation& one : pattern.operations) {
        for (const std::string& parameter : {one.norm.gain, one.norm.bias}) {
            names.keep(parameter.empty() ? "" : gradient_of(parameter), {H});
        }
    }
    names.keep(gradient_of(pattern.linear()), {n * layer.positions, H});
    if (wanted == Keep::all && !layer.is_tied) {
        names.keep(gradient_of(layer.W()), {layer.inputs, H});
    }
    if (layer.has_bias) {
        names.keep(gradient_of(layer.b()), {H});
    }
}

}  // namespace

std::set<std::string> operations_without_fused_step(const NetworkConfig& config) {
    std::set<std::string> names;
    for (const Operation& one : operations(config)) {
        if (is_of_layer(one) && !kind_of(one)) {
            names.insert(one.op);
        }
    }
    return names;
}

bool has_fused_step(const NetworkConfig& config) {
    return operations_without_fused_step(config).empty();
}

std::vector<FusedPattern> fused_patterns(const NetworkConfig& config, Keep keep) {
    const std::vector<Operation> all = operations(config);
    const std::vector<std::string> added = added_values(all);
    std::vector<FusedPattern> patterns;
    std::size_t joined = 1;
    for (const Operation& one : all) {
        if (one.op == op::kFlatten) {
            joined = one.joined;
        }
        if (!is_of_layer(one)) {
            continue;
        }
        const FusedKind kind = kind_of(one).value();
        if (kind == FusedKind::linear) {
            patterns.push_back({one.layer, joined, {}});
            joined = 1;
        }
        std::vector<FusedOperation>& operations = patterns.back().operations;
        const auto activation = simd::activation_of(one.op);
        const bool goes_with_norm = activation == simd::Activation::tanh &&
                                    operations.back().kind == FusedKind::batch_norm &&
                                    std::ranges::find(added, one.input) == added.end();
        if (goes_with_norm) {
            operations.back().activation = activation;
            operations.back().makes = one.output;
            continue;
        }
        FusedOperation& made = operations.emplace_back();
        made = {.operation = one, .kind = kind, .activation = activation, .reads = "", .makes = one.output, .norm = {}};
        if (is_norm(made)) {
            made.norm = norm_names(one);
        }
    }
    for (FusedPattern& pattern : patterns) {
        share_arrays(pattern.operations, added, keep);
    }
    return patterns;
}

bool pays_by_character(const NetworkConfig& config, std::size_t n) {
    constexpr std::size_t kRowsEach = 4;  // finding the products takes time too
    return n * layers(config).front().positions / kRowsEach >= config.vocabulary;
}

std::vector<TensorSpec> kept_names(const NetworkConfig& config, const BatchPart& rows, Keep wanted) {
    const std::size_t n = rows.rows;
    const bool by_character = pays_by_character(config, rows.batch);
    UniqueSpecs names;
    const std::vector<FusedPattern> patterns = fused_patterns(config, wanted);
    const Layer& first = patterns.front().layer;
    const Shape embcat = {n * first.positions, first.inputs};
    if (!by_character) {
        names.keep("embcat", embcat);
    }
    for (const FusedPattern& pattern : patterns) {
        keep_values(names, pattern, n);
    }
    names.keep("loss", {});
    for (const FusedPattern& pattern : patterns | std::views::reverse) {
        keep_gradients(names, pattern, n, wanted);
    }
    if (!by_character) {
        names.keep("dembcat", embcat);
    }
    names.keep("dC", {config.vocabulary, config.embedding});
    return names.table;
}

std::vector<TensorSpec> with_padding(std::vector<TensorSpec> table) {
    for (TensorSpec& spec : table) {
        if (in_panels(spec)) {
            spec.shape = {spec.shape[0] * padded(spec.shape[1])};
        } else if (!spec.shape.empty()) {
            spec.shape = {padded(count(spec.shape))};  // kernels write whole vectors
        }
    }
    return table;
}

void put(Tensors<float>& panels, const Tensors<float>& outside) {
    for (const TensorSpec& spec : outside.table()) {
        const std::span<float> to = panels[spec.name];
        const std::span<const float> from = outside[spec.name];
        if (in_panels(spec)) {
            to_panels(to.data(), from.data(), spec.shape[0], spec.shape[1]);
        } else {
            std::ranges::fill(std::ranges::copy(from, to.begin()).out, to.end(), 0.0F);
        }
    }
}

void take(Tensors<float>& outside, const std::string& prefix, const Tensors<float>& panels,
          const std::vector<TensorSpec>& table) {
    for (const TensorSpec& spec : table) {
        const std::span<float> to = outside[prefix + spec.name];
        const std::span<const float> from = panels[spec.name];
        if (in_panels(spec)) {
            from_panels(to.data(), from.data(), spec.shape[0], spec.shape[1]);
        } else {
            std::ranges::copy(from.first(to.size()), to.begin());
        }
    }
}

}  // namespace byhand
