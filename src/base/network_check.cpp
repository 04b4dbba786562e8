// Which networks and batches can be: their extents, and what they take in memory.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/network.h"

namespace byhand {
namespace {

void require(bool holds, const std::string& message) {
    if (!holds) {
        throw InputError(message);
    }
}

bool is_norm(const std::string& operation) {
    return std::ranges::count(op::kNorms, operation) > 0;
}

}  // namespace

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
    fits = fits && add(rows, config.context * config.embedding);
    for (const Layer& layer : fits ? layers(config) : std::vector<Layer>()) {
        fits =
            fits && add(layer.inputs, layer.outputs) && layer.positions <= kLimit &&
            add(rows, layer.positions * (layer.outputs + (layer.number > 1 && layer.positions > 1 ? layer.inputs : 0)));
    }
    return fits;
}

void check_network(const NetworkConfig& config, std::size_t rows) {
    require(config.vocabulary > 0, "the vocabulary is empty");
    require(config.context > 0, "a context of 0 characters predicts from nothing: --context takes at least 1");
    require(config.context <= kMostContext, "a context of more than " + std::to_string(kMostContext) +
                                                " characters sees no more of any name: --context takes that at most");
    require(config.embedding > 0, "an embedding of width 0 holds nothing: --embedding takes at least 1");
    if (!config.layers.empty()) {
        with_layers(config, expanded(config));  // which refuses a list that is no network
    }
    require(!config.hidden.empty() || !config.layers.empty(), "no hidden layer: --hidden takes at least one width");
    require(config.hidden.size() <= kMostHiddenLayers,
            "more than " + std::to_string(kMostHiddenLayers) + " hidden layers: --hidden takes as many widths at most");
    for (const std::size_t width : config.hidden) {
        require(width > 0, "a hidden layer of width 0 passes nothing on: --hidden takes widths of at least 1");
    }
    std::size_t positions = flattens_by_parts(config) ? config.context : 1;
    const bool is_listed = !config.layers.empty();
    const std::vector<OperationConfig> list = expanded(config);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].op == op::kFlatten) {
            const std::string where = is_listed ? "layers[" + std::to_string(i) + "]: " : "flatten: ";
            require(list[i].positions > 0 && positions % list[i].positions == 0,
                    where + std::to_string(positions) + " positions can't be joined by " +
                        std::to_string(list[i].positions) + "s: change its positions, or the context (--context)");
            positions /= list[i].positions;
        }
    }
    require(positions == 1, (is_listed ? "layers: " : "flatten: ") + std::to_string(positions) +
                                " positions are left over at the logits: add a flatten, or give a shorter context");
    const Layer last = layers(config).back();
    require(!last.is_tied || last.inputs == config.embedding,
            "tied: the last linear reads " + std::to_string(last.inputs) + " units, the embedding has " +
                std::to_string(config.embedding) + ": give --embedding and the last of --hidden the same width");
    const bool has_residual = std::ranges::count(list, op::kResidual, &OperationConfig::op) > 0;
    require(!config.residual || has_residual,
            "residual: no hidden layer is as wide as the one below it, position for position: give two in a row the "
            "same width (--hidden 64,64), without flatten");
    require(rows > 0, "a batch of 0 rows has no loss: --batch takes at least 1");

    for (const Operation& one : operations(config)) {
        const NormConfig& norm = one.norm;
        const bool bessel = norm.batch_divisor == Divisor::n_minus_1 || norm.running_divisor == Divisor::n_minus_1;
        require(one.op != op::kBatchnorm || rows * one.positions > 1 || !bessel,
                "a batch of 1 row has no unbiased variance (it divides by n - 1 = 0): use --batch 2 or more, or "
                "--bn-variance biased");
        require(!is_norm(one.op) || (norm.momentum >= 0 && norm.momentum <= 1),
                "the norm's momentum lies outside 0 to 1");
        require(!is_norm(one.op) || (norm.epsilon >= 0 && std::isfinite(norm.epsilon)),
                "the norm's epsilon is negative or not finite: --bn-eps takes 0 or more");
    }

    require(
        fits_in_memory(config, rows),
        "the network is too large: its tensors would take more than 1 TiB; lower --hidden, --embedding, --context or "
        "--batch");
}

}  // namespace byhand
