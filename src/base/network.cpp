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

// Whether the names of values carry their layer's number, because a name would otherwise denote two of them.
bool has_suffixes(const std::vector<OperationConfig>& list) {
    std::set<std::string> names;
    return std::ranges::count(list, op::kLinear, &OperationConfig::op) > 2 ||
           std::ranges::any_of(list, [&](const OperationConfig& one) {
               return one.op != op::kLinear && !names.insert(read_as(one.op)).second;
           });
}

std::vector<TensorSpec> of_operations(const NetworkConfig& config, auto tensors) {
    std::vector<TensorSpec> specs;
    for (const Operation& one : operations(config)) {
        std::ranges::move(state_of(config, one).*tensors, std::back_inserter(specs));
    }
    return specs;
}

}  // namespace

bool is_batch_norm_1d(const NormConfig& norm) {
    return norm.batch_divisor == Divisor::n && norm.running_divisor == Divisor::n_minus_1 &&
           norm.running_spread == RunningSpread::variance && norm.epsilon_place == EpsilonPlace::inside;
}

NormConfig as_batch_norm_1d(NormConfig norm) {
    norm.batch_divisor = Divisor::n;
    norm.running_divisor = Divisor::n_minus_1;
    norm.running_spread = RunningSpread::variance;
    norm.evaluation = EvaluationFigures::running;
    norm.epsilon_place = EpsilonPlace::inside;
    norm.epsilon = norm.epsilon == 0 ? 1e-5 : norm.epsilon;
    return norm;
}

std::string read_as(const std::string& operation) {
    constexpr std::array<std::pair<std::string_view, const char*>, 9> kNames = {{{op::kEmbedding, "X"},
                                                                                 {op::kLinear, "h"},
                                                                                 {op::kFlatten, "hpos"},
                                                                                 {op::kBatchnorm, "hprebn"},
                                                                                 {op::kLayernorm, "hpreln"},
                                                                                 {op::kRmsnorm, "hprerms"},
                                                                                 {op::kResidual, "hpreres"},
                                                                                 {op::kDropout, "hpredrop"},
                                                                                 {op::kCrossEntropy, "logits"}}};
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

std::vector<Layer> layers(const NetworkConfig& config) {
    const std::vector<OperationConfig>& list = config.layers;
    const std::ptrdiff_t linears = std::ranges::count(list, op::kLinear, &OperationConfig::op);
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
            layer.is_output = std::ssize(all) == linears;
            layer.outputs = inputs = layer.is_output ? config.vocabulary : list[i].outputs;
            layer.has_bias = list[i].bias;
            layer.is_tied = list[i].tied;
            layer.positions = positions;
        } else if (list[i].op == op::kBatchnorm) {
            all.back().has_batchnorm = true;
            all.back().has_batchnorm_first = list[i - 1].op == op::kLinear;
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
    const std::vector<OperationConfig>& list = config.layers;
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
    config.layers = std::move(layers);
    return config;
}

std::vector<OperationConfig*> hidden_linears(NetworkConfig& config) {
    std::vector<OperationConfig*> linears;
    for (OperationConfig& one : config.layers) {
        if (one.op == op::kLinear) {
            linears.push_back(&one);
        }
    }
    linears.pop_back();
    return linears;
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
    return of_operations(config, &OperationState::parameters);
}

std::vector<TensorSpec> running_figures(const NetworkConfig& config) {
    return of_operations(config, &OperationState::running_figures);
}

std::vector<TensorSpec> keys(const NetworkConfig& config) {
    return of_operations(config, &OperationState::keys);
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

std::vector<std::size_t> first_as_wide(const NetworkConfig& config) {
    std::vector<std::size_t> first(layers(config).size() - 1);
    std::iota(first.begin(), first.end(), std::size_t{0});
    std::vector<std::size_t> layer_of;  // of each operation of the list
    std::size_t linears = 0;
    for (const OperationConfig& one : config.layers) {
        linears += one.op == op::kLinear ? 1 : 0;
        layer_of.push_back(linears);
        if (one.op == op::kResidual) {
            const std::size_t a = first.at(linears - 1), b = first.at(layer_of.at(one.from) - 1);
            std::ranges::replace(first, std::max(a, b), std::min(a, b));
        }
    }
    return first;
}

void share_widths(NetworkConfig& config) {
    const std::vector<std::size_t> first = first_as_wide(config);
    const std::vector<OperationConfig*> linears = hidden_linears(config);
    if (!first.empty() && layers(config).back().is_tied) {
        linears[first.back()]->outputs = config.embedding;
    }
    for (std::size_t l = 0; l < first.size(); ++l) {
        linears[l]->outputs = linears[first[l]]->outputs;
    }
}

bool flattens_by_parts(const NetworkConfig& config) {
    return config.layers.front().op == op::kFlatten;
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
