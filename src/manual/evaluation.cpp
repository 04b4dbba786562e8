#include "manual/evaluation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "manual/stepwise.h"

namespace byhand {
namespace {

// Rows per chunk: many enough to reuse each weight, few enough to stay in cache and to sample a single row.
constexpr std::size_t kChunk = 64;

Graph graph_of(const NetworkConfig& config, ReplaceSteps replace) {
    Graph formulas = evaluation_graph(config, kChunk);
    return replace != nullptr ? replace(std::move(formulas)) : std::move(formulas);
}

}  // namespace

Evaluation::Evaluation(const NetworkConfig& config, ReplaceSteps replace) : runner_(graph_of(config, replace)) {}

template <class Visit>
void Evaluation::for_each_chunk(std::span<const std::int64_t> X, const std::string& last, Visit visit) {
    const std::size_t T = runner_.graph().config.context;
    std::vector<std::int64_t> chunk(kChunk * T);
    while (!X.empty()) {
        const std::size_t rows = std::min(kChunk, X.size() / T);
        std::copy_n(X.begin(), rows * T, chunk.begin());  // a short last chunk is followed by stale rows
        runner_.set_batch({kChunk, chunk.data(), nullptr});
        runner_.forward_to(last);
        visit(rows);
        X = X.subspan(rows * T);
    }
}

void Evaluation::logits(std::span<float> out, std::span<const std::int64_t> X) {
    const std::size_t V = runner_.graph().config.vocabulary;
    const std::span<const float> logits = runner_.tensors()["logits"];
    auto next = out.begin();
    for_each_chunk(X, "logits", [&](std::size_t rows) { next = std::copy_n(logits.begin(), rows * V, next); });
}

void Evaluation::calibrate(std::span<const std::int64_t> X) {
    const NetworkConfig& config = runner_.graph().config;
    for (const Operation& norm : operations(config)) {
        if (norm.op != op::kBatchnorm) {
            continue;
        }
        const std::size_t H = norm.layer.outputs, P = norm.positions;
        const std::size_t n = X.size() / config.context * P;
        const auto divisor = static_cast<double>(norm.norm.running_divisor == Divisor::n ? n : n - 1);
        const float* x = runner_.tensors()[norm.input].data();

        std::vector<double> mean(H);
        for_each_chunk(X, norm.input, [&](std::size_t rows) {
            for (std::size_t i = 0; i < rows * P * H; ++i) {
                mean[i % H] += x[i];
            }
        });
        for (double& m : mean) {
            m /= static_cast<double>(n);
        }

        std::vector<double> squares(H);
        for_each_chunk(X, norm.input, [&](std::size_t rows) {
            for (std::size_t i = 0; i < rows * P * H; ++i) {
                const double difference = x[i] - mean[i % H];
                squares[i % H] += difference * difference;
            }
        });

        const std::span<float> running_mean = runner_.tensors()[norm.layer.value("bnmean_running")];
        const std::span<float> running_spread = runner_.tensors()[norm.layer.value("bnvar_running")];
        for (std::size_t j = 0; j < H; ++j) {
            const double variance = squares[j] / divisor;
            running_mean[j] = static_cast<float>(mean[j]);
            running_spread[j] = static_cast<float>(
                config.norm.running_spread == RunningSpread::variance ? variance : std::sqrt(variance));
        }
    }
}

void Evaluation::save_running_figures(Tensors<float>& state) const {
    for (const TensorSpec& spec : running_figures(runner_.graph().config)) {
        const std::span<const float> figures = runner_.tensors()[spec.name];
        std::ranges::copy(figures, state[spec.name].begin());
    }
}

}  // namespace byhand
