// The forward pass in plain loops and double: the reference for the LibTorch implementation where LibTorch has no
// equivalent.
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

inline State copy(const byhand::Tensors<float>& from) {
    State state;
    for (const byhand::TensorSpec& spec : from.table()) {
        const auto values = from[spec.name];
        state[spec.name] = Values(values.begin(), values.end());
    }
    return state;
}

inline double divisor(byhand::Divisor kind, std::size_t rows) {
    return static_cast<double>(kind == byhand::Divisor::n ? rows : rows - 1);
}

struct Spread {
    Values mean;
    Values squares;  // the sum of squares around the mean
};

inline Spread spread_of(const Values& x, std::size_t rows, std::size_t width) {
    Spread spread{Values(width), Values(width)};
    for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t i = 0; i < rows; ++i) {
            spread.mean[j] += x[i * width + j] / static_cast<double>(rows);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            spread.squares[j] += std::pow(x[i * width + j] - spread.mean[j], 2);
        }
    }
    return spread;
}

// training: with the batch statistics, and the running statistics move. evaluation: with the running statistics.
// calibration: the running statistics are set to those of the batch, and then used as in evaluation.
enum class Mode { training, evaluation, calibration };

struct Network {
    byhand::NetworkConfig config;
    State state;

    void normalise(Values& x, std::size_t rows, const byhand::Layer& layer, Mode mode) {
        const byhand::NormConfig& norm = config.norm;
        const std::size_t width = layer.outputs;
        Values& running_mean = state.at(layer.value("bnmean_running"));
        Values& running_spread = state.at(layer.value("bnvar_running"));
        const bool deviation = norm.running_spread == byhand::RunningSpread::deviation;
        const Spread batch = spread_of(x, rows, width);
        for (std::size_t j = 0; j < width; ++j) {
            double for_running = batch.squares[j] / divisor(norm.running_divisor, rows);
            for_running = deviation ? std::sqrt(for_running) : for_running;
            const double momentum = mode == Mode::calibration ? 1 : mode == Mode::training ? norm.momentum : 0;
            if (momentum > 0) {
                running_mean[j] += momentum * (batch.mean[j] - running_mean[j]);
                running_spread[j] += momentum * (for_running - running_spread[j]);
            }
            double mean = running_mean[j];
            double variance = deviation ? running_spread[j] * running_spread[j] : running_spread[j];
            if (mode == Mode::training) {
                mean = batch.mean[j];
                variance = batch.squares[j] / divisor(norm.batch_divisor, rows);
            }
            const double spread = norm.epsilon_place == byhand::EpsilonPlace::inside
                                      ? std::sqrt(variance + norm.epsilon)
                                      : std::sqrt(variance) + norm.epsilon;
            const double gain = norm.affine ? state.at(layer.value("bngain"))[j] : 1;
            const double bias = norm.affine ? state.at(layer.value("bnbias"))[j] : 0;
            for (std::size_t i = 0; i < rows; ++i) {
                x[i * width + j] = (x[i * width + j] - mean) / spread * gain + bias;
            }
        }
    }

    Values linear(const Values& x, std::size_t rows, const byhand::Layer& layer) const {
        const Values& W = state.at(layer.W());
        Values y(rows * layer.outputs);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < layer.outputs; ++j) {
                double sum = layer.has_bias ? state.at(layer.b())[j] : 0;
                for (std::size_t k = 0; k < layer.inputs; ++k) {
                    sum += x[i * layer.inputs + k] * W[k * layer.outputs + j];
                }
                y[i * layer.outputs + j] = sum;
            }
        }
        return y;
    }

    Values logits(const std::vector<std::int64_t>& X, Mode mode) {
        const std::size_t rows = X.size() / config.context;
        const std::size_t E = config.embedding;
        Values x(X.size() * E);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = state.at("C")[static_cast<std::size_t>(X[i / E]) * E + i % E];
        }
        for (const byhand::Layer& layer : byhand::layers(config)) {
            x = linear(x, rows, layer);
            if (layer.norm == byhand::NormPlace::before) {
                normalise(x, rows, layer, mode);
            }
            if (!layer.is_output) {
                for (double& each : x) {
                    each = std::tanh(each);
                }
            }
            if (layer.norm == byhand::NormPlace::after) {
                normalise(x, rows, layer, mode);
            }
        }
        return x;
    }

    // The mean cross-entropy over the rows, in training mode.
    double loss(const std::vector<std::int64_t>& X, const std::vector<std::int64_t>& Y) {
        const Values z = logits(X, Mode::training);
        const std::size_t V = config.vocabulary;
        double sum = 0;
        for (std::size_t i = 0; i < Y.size(); ++i) {
            double total = 0;
            for (std::size_t j = 0; j < V; ++j) {
                total += std::exp(z[i * V + j]);
            }
            sum += std::log(total) - z[i * V + static_cast<std::size_t>(Y[i])];
        }
        return sum / static_cast<double>(Y.size());
    }
};

}  // namespace plain
