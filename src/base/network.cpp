#include "base/network.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "base/value.h"

namespace byhand {
namespace {

bool is_last_linear(const OperationConfig& one) {
    return one.op == op::kLinear && one.outputs == 0;
}

const char* norm_of(NormKind kind) {
    return op::kNorms.at(static_cast<std::size_t>(kind));
}

// The operations that the short form stands for.
std::vector<OperationConfig> long_form(const NetworkConfig& config) {
    const std::string norm = norm_of(config.norm.kind);
    std::vector<OperationConfig> list;
    std::size_t below = 0;  // the width of the layer before
    for (const std::size_t width : config.hidden) {
        const std::size_t before = list.size();  // operations of the layers below
        if (config.flatten > 0) {
            list.emplace_back(op::kFlatten).positions = config.flatten;
        }
        list.push_back({op::kLinear, width, config.hidden_bias});
        if (config.norm.place == NormPlace::before) {
            list.push_back({norm});
        }
        list.push_back({config.activation});
        if (config.norm.place == NormPlace::after) {
            list.push_back({norm});
        }
        if (config.residual && config.flatten == 0 && before > 0 && width == below) {
            list.emplace_back(op::kResidual).from = before - 1;
        }
        below = width;
    }
    list.push_back({op::kLinear, 0, config.output_bias});
    list.back().tied = config.tied;
    if (config.norm.place != NormPlace::none && config.norm.output) {
        list.push_back({norm});
    }
    return list;
}

// The network of these operations, with the fields that the list replaces reset to their defaults.
NetworkConfig with_list(NetworkConfig config, std::vector<OperationConfig> layers) {
    for (OperationConfig& one : layers) {
        one.outputs = 0;
    }
    config.layers = std::move(layers);
    config.activation = op::kTanh;
    config.residual = config.tied = false;
    config.norm.kind = NormKind::batch;
    config.flatten = 0;
    return config;
}

// Whether the names of values carry their layer's number, because a name would otherwise denote two of them.
bool has_suffixes(const std::vector<OperationConfig>& list) {
    std::set<std::string> names;
    return std::ranges::count(list, op::kLinear, &OperationConfig::op) > 2 ||
           std::ranges::any_of(list, [&](const OperationConfig& one) {
               return one.op != op::kLinear && !names.insert(read_as(one.op)).second;
           });
}

}  // namespace

std::string read_as(const std::string& operation) {
    constexpr std::array<std::pair<std::string_view, const char*>, 7> kNames = {{{op::kLinear, "h"},
                                                                                 {op::kFlatten, "hpos"},
                                                                                 {op::kBatchnorm, "hprebn"},
                                                                                 {op::kLayernorm, "hpreln"},
                                                                                 {op::kRmsnorm, "hprerms"},
                                                                                 {op::kResidual, "hpreres"},
                                                                                 {op::kDropout, "hpredrop"}}};
    const auto* const found = std::ranges::find(kNames, operation, &std::pair<std::string_view, const char*>::first);
    return found != kNames.end() ? found->second : "hpreact";
}

std::string Layer::W() const {
    return "W" + std::to_string(number);
}
std::string Layer::b() const {
    return "b" + std::to_string(number);
}
std::string Layer::value(const std::string& name) const {
    return name + suffix;
}

std::vector<OperationConfig> expanded(const NetworkConfig& config) {
    if (config.layers.empty()) {
        return long_form(config);
    }
    std::vector<OperationConfig> list = config.layers;
    auto width = config.hidden.begin();
    for (OperationConfig& one : list) {
        if (one.op == op::kLinear && width != config.hidden.end()) {
            one.outputs = *width++;
        }
    }
    return list;
}

std::vector<Layer> layers(const NetworkConfig& config) {
    const std::vector<OperationConfig> list = expanded(config);
    std::vector<Layer> all;
    std::size_t positions = config.context, inputs = config.embedding;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const bool joins_all = i == 0 && list[i].op != op::kFlatten;
        if (joins_all || list[i].op == op::kFlatten) {
            const std::size_t joined = joins_all ? config.context : list[i].positions;
            inputs *= joined;
            positions = joined == 0 ? 0 : positions / joined;
        }
        if (list[i].op == op::kLinear) {
            Layer& layer = all.emplace_back();
            layer.number = all.size();
            layer.inputs = inputs;
            layer.is_output = all.size() > config.hidden.size();
            layer.outputs = inputs = layer.is_output ? config.vocabulary : list[i].outputs;
            layer.has_bias = list[i].bias;
            layer.is_tied = list[i].tied;
            layer.positions = positions;
        } else if (list[i].op == op::kBatchnorm) {
            all.back().norm = list[i - 1].op == op::kLinear ? NormPlace::before : NormPlace::after;
        }
    }
    if (has_suffixes(list)) {
        for (Layer& layer : all) {
            layer.suffix = "." + std::to_string(layer.number);
        }
    }
    return all;
}

std::vector<Operation> operations(const NetworkConfig& config) {
    const std::vector<OperationConfig> list = expanded(config);
    const std::vector<Layer> all = layers(config);
    Layer none;
    none.number = 0;
    std::vector<Operation> operations = {{op::kEmbedding, none, "X", "emb"}};
    const auto flatten = [&](const Layer& here, const std::string& in, const std::string& out, std::size_t joined) {
        const std::size_t before = operations.size() == 1 ? config.context : here.positions;
        const std::size_t width = operations.size() == 1 ? config.embedding : here.outputs;
        operations.push_back({op::kFlatten, here, in, out});
        operations.back().positions = joined == 0 ? 0 : before / joined;
        operations.back().joined = joined;
        operations.back().width = width;
    };
    const bool by_parts = list.front().op == op::kFlatten;
    flatten(none, "emb", "embcat", by_parts ? list.front().positions : config.context);
    std::string input = "embcat";
    std::vector<std::string> made(list.size());
    std::size_t layer = 0;
    for (std::size_t i = by_parts ? 1 : 0; i < list.size(); ++i) {
        layer += list[i].op == op::kLinear ? 1 : 0;
        const Layer& here = all[layer - 1];
        if (list[i].op == op::kFlatten) {
            flatten(here, input, here.value("h"), list[i].positions);
            input = operations.back().output;
            continue;
        }
        const std::string output = i + 1 == list.size() ? "logits" : here.value(read_as(list[i + 1].op));
        NormConfig norm = config.norm;
        norm.affine = list[i].affine.value_or(norm.affine);
        norm.epsilon = list[i].epsilon.value_or(norm.epsilon);
        norm.momentum = list[i].momentum.value_or(norm.momentum);
        operations.push_back({list[i].op, here, input, output, list[i].negative_slope, norm, 0, here.positions});
        operations.back().p = list[i].p;
        operations.back().added = list[i].op == op::kResidual ? made.at(list[i].from) : "";
        made[i] = input = output;
    }
    operations.push_back({op::kCrossEntropy, all.back(), "logits", "loss"});
    for (std::size_t i = 0; i < operations.size(); ++i) {
        operations[i].place = i;
    }
    return operations;
}

std::vector<Operation> evaluated_operations(const NetworkConfig& config) {
    std::vector<Operation> all = operations(config);
    const auto differs = [](const Operation& one) { return one.op == op::kBatchnorm || one.op == op::kDropout; };
    if (std::ranges::none_of(all, differs)) {
        return {};
    }
    std::erase_if(all, [](const Operation& one) { return one.layer.number == 0 || one.op == op::kCrossEntropy; });
    for (Operation& one : all) {
        one.input = one.input == "embcat" ? one.input : evaluation_of(one.input);
        one.output = evaluation_of(one.output);
        one.added = one.added.empty() ? "" : evaluation_of(one.added);
    }
    return all;
}

NetworkConfig with_layers(NetworkConfig config, std::vector<OperationConfig> layers) {
    check_layers(layers);
    const auto one_norm = [](const OperationConfig& one) { return is_norm(one.op); };
    const auto last = std::ranges::find_if(layers, [](const auto& one) { return is_last_linear(one); });
    const auto first_norm = std::ranges::find_if(layers, one_norm);
    const std::size_t flatten = layers.front().op == op::kFlatten ? layers.front().positions : 0;
    const auto activation =
        std::ranges::find_if(layers, [](const auto& one) { return std::ranges::count(op::kActivations, one.op) > 0; });
    config.layers.clear();
    config.hidden.clear();
    config.hidden_bias = layers[flatten > 0 ? 1 : 0].bias;
    config.flatten = flatten;
    config.output_bias = last->bias;
    config.tied = last->tied;
    config.activation = activation == layers.end() ? op::kTanh : activation->op;
    config.residual = std::ranges::count(layers, op::kResidual, &OperationConfig::op) > 0;
    for (const OperationConfig& one : layers) {
        if (one.op == op::kLinear && !is_last_linear(one)) {
            config.hidden.push_back(one.outputs);
        }
    }
    config.norm.kind = first_norm == layers.end()         ? NormKind::batch
                       : first_norm->op == op::kLayernorm ? NormKind::layer
                       : first_norm->op == op::kRmsnorm   ? NormKind::rms
                                                          : NormKind::batch;
    config.norm.output = std::any_of(last, layers.end(), one_norm);
    config.norm.place = first_norm == layers.end()            ? NormPlace::none
                        : (first_norm - 1)->op == op::kLinear ? NormPlace::before
                                                              : NormPlace::after;
    return long_form(config) == layers && !config.hidden.empty() ? config
                                                                 : with_list(std::move(config), std::move(layers));
}

NetworkConfig listed(const NetworkConfig& config) {
    return config.layers.empty() ? with_list(config, long_form(config)) : config;
}

OperationState state_of(const NetworkConfig& config, const Operation& operation) {
    const Layer& layer = operation.layer;
    const Shape H = {layer.outputs};
    OperationState state;
    const auto add = [&](const char* value) { state.parameters.push_back({layer.value(value), H}); };
    if (operation.op == op::kEmbedding) {
        state.parameters = {{"C", {config.vocabulary, config.embedding}}};
    } else if (operation.op == op::kLinear) {
        if (!layer.is_tied) {
            state.parameters = {{layer.W(), {layer.inputs, layer.outputs}}};
        }
        if (layer.has_bias) {
            state.parameters.push_back({layer.b(), H});
        }
    } else if (operation.op == op::kBatchnorm) {
        if (operation.norm.affine) {
            add("bngain");
            add("bnbias");
        }
        state.running_figures = {{layer.value("bnmean_running"), H}, {layer.value("bnvar_running"), H}};
    } else if (operation.op == op::kLayernorm && operation.norm.affine) {
        add("lngain");
        add("lnbias");
    } else if (operation.op == op::kRmsnorm && operation.norm.affine) {
        add("rmsgain");
    } else if (operation.op == op::kDropout) {
        state.keys = {{layer.value("maskkey"), {}}};
    }
    return state;
}

std::vector<TensorSpec> parameters(const NetworkConfig& config) {
    std::vector<TensorSpec> specs;
    for (const Operation& one : operations(config)) {
        std::ranges::move(state_of(config, one).parameters, std::back_inserter(specs));
    }
    return specs;
}

std::vector<TensorSpec> running_figures(const NetworkConfig& config) {
    std::vector<TensorSpec> specs;
    for (const Operation& one : operations(config)) {
        std::ranges::move(state_of(config, one).running_figures, std::back_inserter(specs));
    }
    return specs;
}

std::vector<TensorSpec> keys(const NetworkConfig& config) {
    std::vector<TensorSpec> specs;
    for (const Operation& one : operations(config)) {
        std::ranges::move(state_of(config, one).keys, std::back_inserter(specs));
    }
    return specs;
}

std::vector<TensorSpec> state(const NetworkConfig& config) {
    std::vector<TensorSpec> specs = parameters(config);
    for (const std::vector<TensorSpec>& more : {running_figures(config), keys(config), optimizer_state(config)}) {
        std::ranges::copy(more, std::back_inserter(specs));
    }
    return specs;
}

std::size_t parameter_count(const NetworkConfig& config) {
    std::size_t total = 0;
    for (const TensorSpec& spec : parameters(config)) {
        total += count(spec.shape);
    }
    return total;
}

bool is_calibrated(const NetworkConfig& config) {
    return config.norm.evaluation == EvaluationFigures::training_set && !running_figures(config).empty();
}

std::vector<std::size_t> shared_widths(const NetworkConfig& config) {
    std::vector<std::size_t> shared(config.hidden.size());
    std::iota(shared.begin(), shared.end(), std::size_t{0});
    std::vector<std::size_t> layer_of;  // of each operation of the list
    std::size_t linears = 0;
    for (const OperationConfig& one : expanded(config)) {
        linears += one.op == op::kLinear ? 1 : 0;
        layer_of.push_back(linears);
        if (one.op == op::kResidual) {
            const std::size_t a = shared.at(linears - 1), b = shared.at(layer_of.at(one.from) - 1);
            std::ranges::replace(shared, std::max(a, b), std::min(a, b));
        }
    }
    return shared;
}

void share_widths(NetworkConfig& config) {
    const std::vector<std::size_t> shared = shared_widths(config);
    if (!shared.empty() && layers(config).back().is_tied) {
        config.hidden[shared.back()] = config.embedding;
    }
    for (std::size_t l = 0; l < shared.size(); ++l) {
        config.hidden[l] = config.hidden[shared[l]];
    }
}

bool flattens_by_parts(const NetworkConfig& config) {
    return expanded(config).front().op == op::kFlatten;
}

std::vector<TensorSpec> optimizer_state(const NetworkConfig& config) {
    const OptimizerConfig& optimizer = config.optimizer;
    std::vector<TensorSpec> specs;
    const auto keep = [&](const char* role, const TensorSpec& p) {
        specs.push_back({of_parameter(role, p.name), p.shape});
    };
    for (const TensorSpec& p : parameters(config)) {
        if (optimizer.kind == OptimizerKind::adamw) {
            keep(kept::kMean, p);
            keep(kept::kSquare, p);
        } else if (optimizer.momentum > 0) {
            keep(kept::kMomentum, p);
        }
    }
    if (optimizer.kind == OptimizerKind::adamw) {
        specs.push_back({kept::kStepCount, {}});
    }
    return specs;
}

}  // namespace byhand
