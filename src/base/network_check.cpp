// Checks of networks and batches: their operations, their extents, and their memory.
#include <algorithm>
#include <cmath>
#include <set>
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

// Properties of one operation's result, to check what a residual adds.
struct ResultShape {
    std::size_t width = 0;   // 0 in the output layer, and for a flatten
    std::size_t joined = 1;  // positions of the context in each row
};

std::vector<ResultShape> made_by(const std::vector<OperationConfig>& list) {
    std::vector<ResultShape> all;
    ResultShape here;
    for (const OperationConfig& one : list) {
        here.joined *= one.op == op::kFlatten ? one.positions : 1;
        here.width = one.op == op::kLinear ? one.outputs : here.width;
        all.push_back({one.op == op::kFlatten ? 0 : here.width, here.joined});
    }
    return all;
}

// Why a residual's "from" is no operation whose result it can add, and which ones are.
std::string wrong_source(const std::vector<OperationConfig>& list, std::size_t residual) {
    const std::vector<ResultShape> made = made_by(list);
    const std::size_t from = list[residual].from;
    const auto name = [](std::size_t i) { return "layers[" + std::to_string(i) + "]"; };
    const auto fits = [&](std::size_t i) {  // the previous result is its input already
        return i + 1 < residual && made[i].width == made[residual].width && made[i].joined == made[residual].joined &&
               list[i].op != op::kFlatten;
    };
    if (made[residual].width == 0) {
        return "a residual in the output layer: put it before the last linear";
    }
    if (fits(from)) {
        return "";
    }
    std::string fitting;
    for (std::size_t i = 0; i < residual; ++i) {
        fitting += fits(i) ? (fitting.empty() ? "" : ", ") + name(i) : "";
    }
    const std::string what = from + 1 == residual            ? " is already the residual's input"
                             : from >= residual              ? " does not come before the residual"
                             : list[from].op == op::kFlatten ? " is a flatten"
                             : made[from].width != made[residual].width
                                 ? " makes " + std::to_string(made[from].width) + " units, the residual has " +
                                       std::to_string(made[residual].width)
                                 : " has other positions";
    return "from: " + name(from) + what + "; " + (fitting.empty() ? "none before it fits" : "what fits: " + fitting);
}

// Why a linear is invalid; empty if it is valid.
std::string wrong_linear(const OperationConfig& linear, bool is_last) {
    if (is_last) {
        return linear.outputs == 0
                   ? ""
                   : "the last linear has as many outputs as there are characters: leave \"outputs\" out";
    }
    return linear.outputs == 0 ? "a linear that is not the last one is missing its \"outputs\"; add it"
           : linear.tied       ? "only the last linear can be tied: leave it out"
                               : "";
}

}  // namespace

bool is_norm(const std::string& operation) {
    return std::ranges::count(op::kNorms, operation) > 0;
}
bool is_activation(const std::string& operation) {
    return read_as(operation) == "hpreact";
}

void check_layers(const std::vector<OperationConfig>& list) {
    // Reports an error unless `what` is empty.
    const auto refuse = [](std::size_t i, const std::string& what) {
        require(what.empty(), "layers[" + std::to_string(i) + "]: " + what);
    };
    const auto is_linear = [&](std::size_t i) { return i < list.size() && list[i].op == op::kLinear; };
    const std::ptrdiff_t linears = std::ranges::count(list, op::kLinear, &OperationConfig::op);
    require(!list.empty(), "layers: a network without operations; list them");
    if (list.front().op != op::kLinear && list.front().op != op::kFlatten) {
        refuse(0, "\"" + list.front().op + "\" comes before the first linear: begin with a linear or a flatten");
    }
    std::ptrdiff_t linear = 0;
    std::set<std::string> read;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].op == op::kFlatten) {
            if (!is_linear(i + 1)) {
                refuse(i, "a flatten must be followed by a linear: add one after it");
            }
            continue;
        }
        refuse(i, list[i].op == op::kResidual ? wrong_source(list, i) : "");
        if (list[i].op != op::kLinear) {
            if (!read.insert(read_as(list[i].op)).second) {
                refuse(i, "layer " + std::to_string(linear) + " has two operations that read " + read_as(list[i].op) +
                              ": put a linear between them, or leave one out");
            }
            continue;
        }
        ++linear;
        read.clear();
        refuse(i, wrong_linear(list[i], linear == linears));
    }
}

bool fits_in_memory(const NetworkConfig& config, std::size_t rows) {
    // About 30 tensors of (rows, width) per layer and four of the size of the weights bound every implementation's
    // memory.
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
    const std::ptrdiff_t linears = std::ranges::count(config.layers, op::kLinear, &OperationConfig::op);
    require(linears <= static_cast<std::ptrdiff_t>(kMostHiddenLayers) + 1,
            "more than " + std::to_string(kMostHiddenLayers) + " hidden layers: --hidden takes as many widths at most");
    check_layers(config.layers);
    std::size_t positions = flattens_by_parts(config) ? config.context : 1, layer = 1;
    for (const OperationConfig& one : config.layers) {
        if (one.op == op::kFlatten) {
            require(one.positions > 0 && positions % one.positions == 0,
                    "flatten before layer " + std::to_string(layer) + ": " + std::to_string(positions) +
                        " positions can't be joined by " + std::to_string(one.positions) +
                        "s: change its positions, or the context (--context)");
            positions /= one.positions;
        }
        layer += one.op == op::kLinear ? 1 : 0;
    }
    require(positions == 1, "flatten: " + std::to_string(positions) +
                                " positions are left over at the logits: add a flatten, or give a shorter context");
    const Layer last = layers(config).back();
    require(!last.is_tied || last.inputs == config.embedding,
            "tied: the last linear reads " + std::to_string(last.inputs) + " units, the embedding has " +
                std::to_string(config.embedding) + ": give --embedding and the last of --hidden the same width");
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
