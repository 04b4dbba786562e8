// A network of two layers and what it computes, with plain loops: as a graph and as a dump.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trace/trace.h"

namespace byhand {

using Dump = std::map<std::string, StoredTensor>;

inline void put(Dump& dump, const std::string& name, const Shape& shape, const std::vector<float>& numbers) {
    StoredTensor tensor{name, shape, DType::float32, std::vector<std::byte>(numbers.size() * sizeof(float))};
    std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
    dump[name] = std::move(tensor);
}

inline std::vector<float> floats(const Dump& dump, const std::string& name) {
    const StoredTensor& tensor = dump.at(name);
    std::vector<float> numbers(count(tensor.shape));
    std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
    return numbers;
}

inline ReadTensor reader(const Dump& dump) {
    return [&dump](const std::string& name) {
        const auto found = dump.find(name);
        return found == dump.end() ? std::nullopt : std::optional(found->second);
    };
}

// h = x·W1ᵀ + b1; n = layer norm of h; t = tanh n; r = t + n; logits = r·W2ᵀ + b2; loss: the mean cross-entropy of y.
inline constexpr const char* kGraph = R"({
 "format": "byhand-graph", "version": 1, "gradients": "grad.{}",
 "steps": [
  {"result": "h", "operation": "aten::linear", "inputs": ["x", "W1", "b1"], "where": "net.py:3"},
  {"result": "n", "operation": "layer_norm", "inputs": ["h", "gain", "bias"],
   "attributes": {"normalized_shape": [3], "eps": 1e-3}, "where": "net.py:4"},
  {"result": "t", "operation": "tanh", "inputs": ["n"]},
  {"result": "r", "operation": "add", "inputs": ["t", "n"]},
  {"result": "logits", "operation": "linear", "inputs": ["r", "W2", "b2"]},
  {"result": "loss", "operation": "cross_entropy", "inputs": ["logits", "y"]}
 ]})";

struct Mistakes {
    double epsilon = 1e-3;       // of the norm
    bool no_gain_in_dh = false;  // the norm's gradient forgets the gain
    bool no_residual = false;    // the gradient of n forgets that r reads it
    double input = 0;            // added to x
};

inline Dump run_mlp(const Mistakes& mistakes = {}) {
    constexpr std::size_t N = 5, I = 7, H = 3, C = 4;
    Dump dump;
    std::uint64_t state = 1;
    const auto draw = [&](const std::string& name, const Shape& shape, double around = 0) {
        std::vector<float> numbers;
        for (std::size_t i = 0; i < count(shape); ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            numbers.push_back(static_cast<float>(around + static_cast<double>(state >> 40) * 0x1p-23 - 1));
        }
        put(dump, name, shape, numbers);
    };
    draw("x", {N, I}, mistakes.input);
    draw("W1", {H, I});
    draw("b1", {H});
    draw("gain", {H}, 1);
    draw("bias", {H});
    draw("W2", {C, H});
    draw("b2", {C});
    const std::vector<std::int64_t> y = {3, 0, 2, 2, 1};
    StoredTensor labels{"y", {N}, DType::int64, std::vector<std::byte>(N * sizeof(std::int64_t))};
    std::memcpy(labels.bytes.data(), y.data(), labels.bytes.size());
    dump["y"] = labels;

    // out[i, j] = Σ_k a(i, k)·b(k, j) + c(j)
    const auto product = [](std::size_t n, std::size_t m, std::size_t inner, auto a, auto b, auto c) {
        std::vector<float> out;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < m; ++j) {
                float sum = c(j);
                for (std::size_t k = 0; k < inner; ++k) {
                    sum += a(i, k) * b(k, j);
                }
                out.push_back(sum);
            }
        }
        return out;
    };
    const auto none = [](std::size_t) { return 0.0F; };
    const auto ones = [](std::size_t, std::size_t) { return 1.0F; };
    const auto of = [&](const std::string& name) { return floats(dump, name); };
    const auto at = [](const std::vector<float>& a, std::size_t columns) {
        return [&a, columns](std::size_t i, std::size_t j) { return a[i * columns + j]; };
    };
    const auto turned = [](const std::vector<float>& a, std::size_t columns) {
        return [&a, columns](std::size_t i, std::size_t j) { return a[j * columns + i]; };
    };
    const auto x = of("x"), W1 = of("W1"), b1 = of("b1"), gain = of("gain"), bias = of("bias"), W2 = of("W2"),
               b2 = of("b2");

    const auto h = product(N, H, I, at(x, I), turned(W1, I), [&](std::size_t j) { return b1[j]; });
    std::vector<float> n, hat, inverse, t, r;
    for (std::size_t i = 0; i < N; ++i) {
        double mean = 0, variance = 0;
        for (std::size_t j = 0; j < H; ++j) {
            mean += h[i * H + j] / double{H};
        }
        for (std::size_t j = 0; j < H; ++j) {
            variance += (h[i * H + j] - mean) * (h[i * H + j] - mean) / double{H};
        }
        inverse.push_back(static_cast<float>(1 / std::sqrt(variance + mistakes.epsilon)));
        for (std::size_t j = 0; j < H; ++j) {
            hat.push_back(static_cast<float>((h[i * H + j] - mean) * inverse[i]));
            n.push_back(hat.back() * gain[j] + bias[j]);
            t.push_back(std::tanh(n.back()));
            r.push_back(t.back() + n.back());
        }
    }
    const auto logits = product(N, C, H, at(r, H), turned(W2, H), [&](std::size_t j) { return b2[j]; });
    std::vector<float> dlogits;
    double loss = 0;
    for (std::size_t i = 0; i < N; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < C; ++j) {
            sum += std::exp(double{logits[i * C + j]});
        }
        for (std::size_t j = 0; j < C; ++j) {
            const bool is_right = j == static_cast<std::size_t>(y[i]);
            loss += is_right ? (std::log(sum) - logits[i * C + j]) / N : 0;
            dlogits.push_back(static_cast<float>((std::exp(double{logits[i * C + j]}) / sum - is_right) / N));
        }
    }

    const auto dr = product(N, H, C, at(dlogits, C), at(W2, H), none);
    std::vector<float> dt = dr, dn, dh;
    for (std::size_t i = 0; i < N * H; ++i) {
        dn.push_back(dt[i] * (1 - t[i] * t[i]) + (mistakes.no_residual ? 0 : dr[i]));
    }
    std::vector<float> dgain(H), dbias(H);
    for (std::size_t i = 0; i < N; ++i) {
        double mean = 0, along = 0;
        const auto dhat = [&](std::size_t j) {
            return double{dn[i * H + j]} * (mistakes.no_gain_in_dh ? 1 : double{gain[j]});
        };
        for (std::size_t j = 0; j < H; ++j) {
            mean += dhat(j) / H;
            along += dhat(j) * hat[i * H + j] / H;
            dgain[j] += dn[i * H + j] * hat[i * H + j];
            dbias[j] += dn[i * H + j];
        }
        for (std::size_t j = 0; j < H; ++j) {
            dh.push_back(static_cast<float>(inverse[i] * (dhat(j) - mean - hat[i * H + j] * along)));
        }
    }
    put(dump, "h", {N, H}, h);
    put(dump, "n", {N, H}, n);
    put(dump, "t", {N, H}, t);
    put(dump, "r", {N, H}, r);
    put(dump, "logits", {N, C}, logits);
    put(dump, "loss", {}, {static_cast<float>(loss)});
    put(dump, "grad.logits", {N, C}, dlogits);
    put(dump, "grad.r", {N, H}, dr);
    put(dump, "grad.t", {N, H}, dt);
    put(dump, "grad.n", {N, H}, dn);
    put(dump, "grad.h", {N, H}, dh);
    put(dump, "grad.gain", {H}, dgain);
    put(dump, "grad.bias", {H}, dbias);
    put(dump, "grad.W2", {C, H}, product(C, H, N, turned(dlogits, C), at(r, H), none));
    put(dump, "grad.b2", {C}, product(1, C, N, ones, at(dlogits, C), none));
    put(dump, "grad.W1", {H, I}, product(H, I, N, turned(dh, H), at(x, I), none));
    put(dump, "grad.b1", {H}, product(1, H, N, ones, at(dh, H), none));
    put(dump, "grad.x", {N, I}, product(N, I, H, at(dh, H), at(W1, I), none));
    return dump;
}

}  // namespace byhand
