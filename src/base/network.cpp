#include "base/network.h"

#include <cmath>

#include "base/error.h"

namespace byhand {
namespace {

void require(bool holds, const std::string& message) {
    if (!holds) {
        throw InputError(message);
    }
}

}  // namespace

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
    const bool several = config.hidden.size() > 1 || (config.norm.place != NormPlace::none && config.norm.output);
    std::vector<Layer> all;
    std::size_t inputs = config.context * config.embedding;
    for (std::size_t i = 0; i <= config.hidden.size(); ++i) {
        Layer layer;
        layer.number = i + 1;
        layer.inputs = inputs;
        layer.is_output = i == config.hidden.size();
        layer.outputs = layer.is_output ? config.vocabulary : config.hidden[i];
        layer.has_bias = layer.is_output ? config.output_bias : config.hidden_bias;
        layer.norm = config.norm.place;
        if (layer.is_output && layer.norm != NormPlace::none) {
            layer.norm = config.norm.output ? NormPlace::before : NormPlace::none;
        }
        layer.suffix = several ? "." + std::to_string(layer.number) : "";
        inputs = layer.outputs;
        all.push_back(std::move(layer));
    }
    return all;
}

std::vector<TensorSpec> parameters(const NetworkConfig& config) {
    std::vector<TensorSpec> specs = {{"C", {config.vocabulary, config.embedding}}};
    for (const Layer& layer : layers(config)) {
        specs.push_back({layer.W(), {layer.inputs, layer.outputs}});
        if (layer.has_bias) {
            specs.push_back({layer.b(), {layer.outputs}});
        }
        if (layer.norm != NormPlace::none && config.norm.affine) {
            specs.push_back({layer.value("bngain"), {layer.outputs}});
            specs.push_back({layer.value("bnbias"), {layer.outputs}});
        }
    }
    return specs;
}

std::vector<TensorSpec> running_figures(const NetworkConfig& config) {
    std::vector<TensorSpec> specs;
    for (const Layer& layer : layers(config)) {
        if (layer.norm != NormPlace::none) {
            specs.push_back({layer.value("bnmean_running"), {layer.outputs}});
            specs.push_back({layer.value("bnvar_running"), {layer.outputs}});
        }
    }
    return specs;
}

std::vector<TensorSpec> state(const NetworkConfig& config) {
    std::vector<TensorSpec> specs = parameters(config);
    for (TensorSpec& spec : running_figures(config)) {
        specs.push_back(std::move(spec));
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

bool fits_in_memory(const NetworkConfig& config, std::size_t rows) {
    // Some 30 tensors of (rows, width) a layer and four of the weights' size bound what any side allocates.
    constexpr std::size_t kLimit = (std::size_t{1} << 40) / (64 * sizeof(double));
    std::size_t total = 0;
    const auto add = [&total](std::size_t a, std::size_t b) {
        const bool fits = b == 0 || a <= (kLimit - total) / b;
        total += fits ? a * b : 0;
        return fits;
    };
    bool fits = add(config.context, config.embedding) && add(config.vocabulary, config.embedding);
    std::size_t inputs = fits ? config.context * config.embedding : 0;
    fits = fits && add(rows, inputs);
    for (std::size_t i = 0; fits && i <= config.hidden.size(); ++i) {
        const std::size_t outputs = i < config.hidden.size() ? config.hidden[i] : config.vocabulary;
        fits = add(inputs, outputs) && add(rows, outputs);
        inputs = outputs;
    }
    return fits;
}

void check_network(const NetworkConfig& config, std::size_t rows) {
    require(config.vocabulary > 0, "the vocabulary is empty");
    require(config.context > 0, "a context of 0 characters predicts from nothing: --context takes at least 1");
    require(config.context <= kMostContext, "a context of more than " + std::to_string(kMostContext) +
                                                " characters sees no more of any name: --context takes that at most");
    require(config.embedding > 0, "an embedding of width 0 holds nothing: --embedding takes at least 1");
    require(!config.hidden.empty(), "no hidden layer: --hidden takes at least one width");
    require(config.hidden.size() <= kMostHiddenLayers,
            "more than " + std::to_string(kMostHiddenLayers) + " hidden layers: --hidden takes as many widths at most");
    for (const std::size_t width : config.hidden) {
        require(width > 0, "a hidden layer of width 0 passes nothing on: --hidden takes widths of at least 1");
    }
    require(rows > 0, "a batch of 0 rows has no loss: --batch takes at least 1");

    const NormConfig& norm = config.norm;
    if (norm.place != NormPlace::none) {
        const bool bessel = norm.batch_divisor == Divisor::n_minus_1 || norm.running_divisor == Divisor::n_minus_1;
        require(rows > 1 || !bessel,
                "a batch of 1 row has no unbiased variance (it divides by n - 1 = 0): use --batch 2 or more, or "
                "--bn-variance biased");
        require(norm.momentum >= 0 && norm.momentum <= 1, "the norm's momentum lies outside 0 to 1");
        require(norm.epsilon >= 0 && std::isfinite(norm.epsilon),
                "the norm's epsilon is negative or not finite: --bn-eps takes 0 or more");
    }

    require(
        fits_in_memory(config, rows),
        "the network is too large: its tensors would take more than 1 TiB; lower --hidden, --embedding, --context or "
        "--batch");
}

}  // namespace byhand
