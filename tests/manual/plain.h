// The forward pass from its formulas, in double and plain loops: the reference for the steps, and for the LibTorch
// implementation where LibTorch has no equivalent.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"

namespace plain {

using Values = std::vector<double>;
using State = std::map<std::string, Values>;

template <class T>
State copy(const byhand::Tensors<T>& from) {
    State state;
    for (const byhand::TensorSpec& spec : from.table()) {
        const auto values = from[spec.name];
        state[spec.name] = Values(values.begin(), values.end());
    }
    return state;
}

// training: with the statistics of the rows, and the running statistics move by the momentum. evaluation: with the
// running statistics. calibration: the running statistics are set to those of the rows, and then used as in evaluation.
enum class Mode { training, evaluation, calibration };

struct Column {
    double mean, squares;  // the sum of squares around the mean
};

inline Column column(const Values& x, std::size_t j, std::size_t width) {
    Column c{0, 0};
    const double rows = static_cast<double>(x.size() / width);
    for (std::size_t i = j; i < x.size(); i += width) {
        c.mean += x[i] / rows;
    }
    for (std::size_t i = j; i < x.size(); i += width) {
        c.squares += std::pow(x[i] - c.mean, 2);
    }
    return c;
}

inline void normalise(Values& x, State& state, const byhand::Layer& layer, const byhand::NormConfig& norm, Mode mode) {
    using namespace byhand;
    const std::size_t H = layer.outputs;
    const double rows = static_cast<double>(x.size() / H);
    const bool holds_deviation = norm.running_spread == RunningSpread::deviation;
    const double momentum = mode == Mode::evaluation ? 0 : mode == Mode::calibration ? 1 : norm.momentum;
    for (std::size_t j = 0; j < H; ++j) {
        const Column c = column(x, j, H);
        double& running_mean = state.at(layer.value("bnmean_running"))[j];
        double& running_spread = state.at(layer.value("bnvar_running"))[j];
        if (momentum > 0) {
            const double variance = c.squares / (norm.running_divisor == Divisor::n ? rows : rows - 1);
            running_mean = (1 - momentum) * running_mean + momentum * c.mean;
            running_spread =
                (1 - momentum) * running_spread + momentum * (holds_deviation ? std::sqrt(variance) : variance);
        }
        double mean = running_mean;
        double variance = holds_deviation ? running_spread * running_spread : running_spread;
        if (mode == Mode::training) {
            mean = c.mean;
            variance = c.squares / (norm.batch_divisor == Divisor::n ? rows : rows - 1);
        }
        const double deviation = norm.epsilon_place == EpsilonPlace::inside ? std::sqrt(variance + norm.epsilon)
                                                                            : std::sqrt(variance) + norm.epsilon;
        for (std::size_t i = j; i < x.size(); i += H) {
            x[i] = (x[i] - mean) / deviation;
            if (norm.affine) {
                x[i] = state.at(layer.value("bngain"))[j] * x[i] + state.at(layer.value("bnbias"))[j];
            }
        }
    }
}

// Logits (rows, V) of X (rows, T).
inline Values logits(const byhand::NetworkConfig& config, State& state, const std::vector<std::int64_t>& X, Mode mode) {
    using namespace byhand;
    const std::size_t E = config.embedding;
    Values x;
    for (const std::int64_t c : X) {
        const auto row = state.at("C").begin() + c * static_cast<std::ptrdiff_t>(E);
        x.insert(x.end(), row, row + static_cast<std::ptrdiff_t>(E));
    }
    for (const Layer& layer : layers(config)) {
        const std::size_t in = layer.inputs, out = layer.outputs, rows = x.size() / in;
        Values y(rows * out);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < out; ++j) {
                y[i * out + j] = layer.has_bias ? state.at(layer.b())[j] : 0;
                for (std::size_t k = 0; k < in; ++k) {
                    y[i * out + j] += x[i * in + k] * state.at(layer.W())[k * out + j];
                }
            }
        }
        if (layer.has_batchnorm_first) {
            normalise(y, state, layer, config.norm, mode);
        }
        if (!layer.is_output) {
            for (double& each : y) {
                each = std::tanh(each);
            }
        }
        if (layer.has_batchnorm && !layer.has_batchnorm_first) {
            normalise(y, state, layer, config.norm, mode);
        }
        x = std::move(y);
    }
    return x;
}

// The mean over the rows of −ln softmax(logits)[target].
inline double cross_entropy(const Values& logits, const std::vector<std::int64_t>& Y) {
    const std::size_t V = logits.size() / Y.size();
    double total = 0;
    for (std::size_t i = 0; i < Y.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < V; ++j) {
            sum += std::exp(logits[i * V + j]);
        }
        total += std::log(sum) - logits[i * V + static_cast<std::size_t>(Y[i])];
    }
    return total / static_cast<double>(Y.size());
}

struct Network {
    byhand::NetworkConfig config;
    State state;

    Values logits(const std::vector<std::int64_t>& X, Mode mode) { return plain::logits(config, state, X, mode); }
    // In training mode.
    double loss(const std::vector<std::int64_t>& X, const std::vector<std::int64_t>& Y) {
        return cross_entropy(logits(X, Mode::training), Y);
    }
};

}  // namespace plain
