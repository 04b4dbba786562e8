#include "manual/fused_tensors.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>
#include <utility>

#include "base/value.h"
#include "manual/panels.h"

namespace byhand {
namespace {

// The embedding and its gradient are read and written by whole rows wherever a character asks for one: they stay as
// they are.
bool in_panels(const TensorSpec& spec) {
    return spec.shape.size() == 2 && spec.name != "C" && spec.name != "dC" && spec.name != "new_C";
}

// Its place among op::kNorms, which have the order of NormKind; behind the last if it is none.
std::size_t number_of_norm(const std::string& op) {
    return static_cast<std::size_t>(std::distance(op::kNorms.begin(), std::ranges::find(op::kNorms, op)));
}

}  // namespace

bool has_fused_step(const NetworkConfig& config) {
    std::size_t norms = 0;  // of a layer
    const bool is_tied = layers(config).back().is_tied;
    return is_plain(config.optimizer) && !is_tied && std::ranges::all_of(operations(config), [&](const Operation& one) {
               const bool is_norm = number_of_norm(one.op) < op::kNorms.size();
               norms = one.op == op::kLinear ? 0 : norms + (is_norm ? 1 : 0);
               return one.op == op::kEmbedding || one.op == op::kFlatten || one.op == op::kLinear ||
                      (is_norm && norms == 1) || simd::activation_of(one.op).has_value() || one.op == op::kCrossEntropy;
           });
}

std::vector<FusedPattern> fused_patterns(const NetworkConfig& config) {
    std::vector<FusedPattern> patterns;
    std::size_t joined = 1;
    for (const Operation& one : operations(config)) {
        if (one.op == op::kFlatten) {
            joined = one.joined;
            continue;
        }
        if (one.op == op::kLinear) {
            FusedPattern& pattern = patterns.emplace_back();
            pattern.layer = one.layer;
            pattern.joined = joined;
            pattern.norm.place = NormPlace::none;
            pattern.linear = one.output;
            joined = 1;
        } else if (const std::size_t kind = number_of_norm(one.op); kind < op::kNorms.size()) {
            FusedPattern& pattern = patterns.back();
            pattern.norm = one.norm;
            pattern.norm.kind = static_cast<NormKind>(kind);
            pattern.norm.place = pattern.activation ? NormPlace::after : NormPlace::before;
            pattern.raw = one.norm.affine ? norm_names(pattern).raw : one.output;
        } else if (const auto activation = simd::activation_of(one.op)) {
            FusedPattern& pattern = patterns.back();
            pattern.activation = activation;
            pattern.negative_slope = one.negative_slope;
            pattern.activated = one.output;
            pattern.read = is_backward_by_input(*activation) ? one.input : "";
        }
        if (one.layer.number > 0 && one.op != op::kCrossEntropy) {
            patterns.back().result = one.output;
        }
    }
    return patterns;
}

NormNames norm_names(const FusedPattern& pattern) {
    const auto named = [&](const char* gain, const char* bias, const char* mean, const char* var, const char* inv,
                           const char* raw) {
        const auto of = [&](const std::string& name) { return name.empty() ? name : pattern.layer.value(name); };
        const bool affine = pattern.norm.affine;
        return NormNames{affine ? of(gain) : "", affine ? of(bias) : "", of(mean), of(var), of(inv), of(raw)};
    };
    if (pattern.norm.place == NormPlace::none) {
        return {};
    }
    switch (pattern.norm.kind) {
        case NormKind::batch:
            return named("bngain", "bnbias", "bnmeani", "bnvar", "bnvar_inv", "bnraw");
        case NormKind::layer:
            return named("lngain", "lnbias", "lnmean", "lnvar", "lnvar_inv", "lnraw");
        case NormKind::rms:
            return named("rmsgain", "", "", "rmsmean", "rms_inv", "rmsraw");
    }
    return {};
}

bool pays_by_character(const NetworkConfig& config, std::size_t n) {
    constexpr std::size_t kRowsEach = 4;  // looking the products up takes time too
    return n * layers(config).front().positions / kRowsEach >= config.vocabulary;
}

bool normalised_in_place(const FusedPattern& pattern, FusedKeep keep) {
    return keep == FusedKeep::needed && pattern.norm.place == NormPlace::before;
}

std::vector<TensorSpec> kept_names(const NetworkConfig& config, std::size_t n, FusedKeep wanted) {
    const bool by_character = pays_by_character(config, n);
    std::vector<TensorSpec> table;
    const auto keep = [&table](const std::string& name, Shape shape) {
        const bool known = std::ranges::any_of(table, [&](const auto& spec) { return spec.name == name; });
        if (!name.empty() && !known) {
            table.push_back({name, std::move(shape)});
        }
    };
    const std::vector<FusedPattern> patterns = fused_patterns(config);
    const Layer& first = patterns.front().layer;
    const Shape embcat = {n * first.positions, first.inputs};
    if (!by_character) {
        keep("embcat", embcat);
    }
    for (const FusedPattern& pattern : patterns) {
        const Layer& layer = pattern.layer;
        const std::size_t H = layer.outputs;
        const Shape wide = {n * layer.positions, H};
        if (!normalised_in_place(pattern, wanted)) {
            keep(pattern.linear, wide);
        }
        if (pattern.norm.place == NormPlace::after) {
            keep(pattern.activated, wide);
        }
        if (pattern.norm.place != NormPlace::none) {
            const NormNames names = norm_names(pattern);
            const Shape statistics = {pattern.has_row_norm() ? wide.front() : H};
            keep(names.mean, statistics);
            keep(names.var, statistics);
            keep(names.inv, statistics);
            keep(pattern.raw, wide);
        }
        keep(pattern.read, wide);
        keep(pattern.result, wide);
    }
    keep("loss", {});
    for (const FusedPattern& pattern : patterns | std::views::reverse) {
        const Layer& layer = pattern.layer;
        const std::size_t H = layer.outputs;
        const Shape wide = {n * layer.positions, H};
        for (const std::string& parameter : {norm_names(pattern).gain, norm_names(pattern).bias}) {
            keep(parameter.empty() ? "" : gradient_of(parameter), {H});
        }
        keep(gradient_of(pattern.linear), wide);
        if (wanted == FusedKeep::all) {
            keep(gradient_of(layer.W()), {layer.inputs, H});
        }
        if (layer.has_bias) {
            keep(gradient_of(layer.b()), {H});
        }
    }
    if (!by_character) {
        keep("dembcat", embcat);
    }
    keep("dC", {config.vocabulary, config.embedding});
    return table;
}

std::vector<TensorSpec> with_padding(std::vector<TensorSpec> table) {
    for (TensorSpec& spec : table) {
        if (in_panels(spec)) {
            spec.shape = {spec.shape[0] * padded(spec.shape[1])};
        } else if (spec.shape.size() == 1) {
            spec.shape = {padded(spec.shape[0])};
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
