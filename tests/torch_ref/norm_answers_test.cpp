// LibTorch's answers to norms by themselves, against the formulas in plain loops and finite differences of those.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <vector>

#include "torch_ref/module.h"
#include "torch_ref/near.h"

using namespace byhand;

namespace {

using Values = std::vector<double>;

constexpr std::size_t kRows = 7, kColumns = 3;

// No row or column like another.
NormQuestion question() {
    NormQuestion made;
    made.rows = kRows;
    made.columns = kColumns;
    for (std::size_t i = 0; i < kRows * kColumns; ++i) {
        const auto at = static_cast<double>(i);
        made.x.push_back(2 * std::sin(1.7 * at) + 0.1 * at);
        made.dy.push_back(std::cos(2.3 * at) - 0.05 * at);
    }
    made.gain = {0.5, -1.5, 2};
    made.bias = {0.25, 3, -1};
    made.running_mean = {0.5, -2, 1};
    made.running_spread = {1.5, 0.5, 3};
    return made;
}

double deviation_of(double variance, const NormConfig& norm) {
    return norm.epsilon_place == EpsilonPlace::inside ? std::sqrt(variance + norm.epsilon)
                                                      : std::sqrt(variance) + norm.epsilon;
}

struct Statistics {
    double mean = 0, squares = 0;
};

// Of every `step`-th value from `from` on, `count` of them.
Statistics statistics(const Values& x, std::size_t from, std::size_t step, std::size_t count) {
    Statistics made;
    for (std::size_t i = 0; i < count; ++i) {
        made.mean += x[from + i * step] / static_cast<double>(count);
    }
    for (std::size_t i = 0; i < count; ++i) {
        made.squares += std::pow(x[from + i * step] - made.mean, 2);
    }
    return made;
}

double divided_by(Divisor divisor) {
    return divisor == Divisor::n ? kRows : kRows - 1;
}

Values batch_norm_by_loops(const NormQuestion& q, const Values& x, const NormConfig& norm) {
    Values y = x;
    for (std::size_t j = 0; j < kColumns; ++j) {
        const Statistics column = statistics(x, j, kColumns, kRows);
        const double deviation = deviation_of(column.squares / divided_by(norm.batch_divisor), norm);
        for (std::size_t i = j; i < x.size(); i += kColumns) {
            y[i] = q.gain[j] * (x[i] - column.mean) / deviation + q.bias[j];
        }
    }
    return y;
}

Values layer_norm_by_loops(const NormQuestion& q, const Values& x, double epsilon) {
    Values y = x;
    for (std::size_t i = 0; i < kRows; ++i) {
        const Statistics row = statistics(x, i * kColumns, 1, kColumns);
        for (std::size_t j = 0; j < kColumns; ++j) {
            const std::size_t at = i * kColumns + j;
            y[at] = q.gain[j] * (x[at] - row.mean) / std::sqrt(row.squares / kColumns + epsilon) + q.bias[j];
        }
    }
    return y;
}

// The gradient of Σ dy·y(x).
Values differences(const NormQuestion& q, const std::function<Values(const Values& x)>& norm) {
    constexpr double kStep = 1e-5;
    const auto loss = [&](const Values& x) {
        const Values y = norm(x);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            sum += q.dy[i] * y[i];
        }
        return sum;
    };
    Values gradient;
    for (std::size_t i = 0; i < q.x.size(); ++i) {
        Values more = q.x, less = q.x;
        more[i] += kStep;
        less[i] -= kStep;
        gradient.push_back((loss(more) - loss(less)) / (2 * kStep));
    }
    return gradient;
}

// Σ_i dy·(y − β)/γ and Σ_i dy, column by column.
void check_gain_and_bias(const NormQuestion& q, const NormAnswer& answer) {
    Values dgain(kColumns, 0), dbias(kColumns, 0);
    for (std::size_t i = 0; i < q.x.size(); ++i) {
        const std::size_t j = i % kColumns;
        dgain[j] += q.dy[i] * (answer.y[i] - q.bias[j]) / q.gain[j];
        dbias[j] += q.dy[i];
    }
    near::check("dgain", answer.dgain, dgain, 1e-12, 0);
    near::check("dbias", answer.dbias, dbias, 1e-12, 0);
}

}  // namespace

TEST_CASE("batch norm by every convention, forwards, backwards and in evaluation") {
    const NormQuestion q = question();
    for (const Divisor batch : {Divisor::n, Divisor::n_minus_1}) {
        for (const Divisor running : {Divisor::n, Divisor::n_minus_1}) {
            for (const EpsilonPlace place : {EpsilonPlace::inside, EpsilonPlace::outside}) {
                for (const RunningSpread spread : {RunningSpread::variance, RunningSpread::deviation}) {
                    NormConfig norm{.affine = false,
                                    .batch_divisor = batch,
                                    .running_divisor = running,
                                    .running_spread = spread,
                                    .momentum = 0.3,
                                    .epsilon_place = place,
                                    .epsilon = 0.05};
                    CAPTURE(batch, running, place, spread);
                    const NormAnswer answer = torch_ref::batch_norm(q, norm);
                    const auto by_loops = [&](const Values& x) { return batch_norm_by_loops(q, x, norm); };
                    near::check("y", answer.y, by_loops(q.x), 1e-12, 0);
                    near::check("dx", answer.dx, differences(q, by_loops), 1e-7, 0);
                    check_gain_and_bias(q, answer);
                    for (std::size_t j = 0; j < kColumns; ++j) {
                        const Statistics column = statistics(q.x, j, kColumns, kRows);
                        const bool holds_variance = spread == RunningSpread::variance;
                        const double variance = column.squares / divided_by(running);
                        const double moved =
                            0.7 * q.running_spread[j] + 0.3 * (holds_variance ? variance : std::sqrt(variance));
                        CHECK(std::abs(answer.running_spread[j] - moved) < 1e-12);
                        const double mean = 0.7 * q.running_mean[j] + 0.3 * column.mean;
                        CHECK(std::abs(answer.running_mean[j] - mean) < 1e-12);
                        const double deviation = deviation_of(holds_variance ? moved : moved * moved, norm);
                        CHECK(std::abs(answer.evaluated[j] - (q.gain[j] * (q.x[j] - mean) / deviation + q.bias[j])) <
                              1e-12);
                    }
                }
            }
        }
    }
}

TEST_CASE("layer norm, forwards and backwards") {
    const NormQuestion q = question();
    const NormAnswer answer = torch_ref::layer_norm(q, 0.05);
    const auto by_loops = [&](const Values& x) { return layer_norm_by_loops(q, x, 0.05); };
    near::check("y", answer.y, by_loops(q.x), 1e-12, 0);
    near::check("dx", answer.dx, differences(q, by_loops), 1e-7, 0);
    check_gain_and_bias(q, answer);
    CHECK(answer.running_mean.empty());
}

TEST_CASE("in float where that is asked for") {
    NormQuestion q = question();
    const NormAnswer exact = torch_ref::layer_norm(q, 0.05);
    q.dtype = DType::float32;
    const NormAnswer rounded = torch_ref::layer_norm(q, 0.05);
    CHECK(rounded.y[1] != exact.y[1]);
    near::check("y", rounded.y, exact.y, 1e-6, 0);
    near::check("dx", rounded.dx, exact.dx, 1e-5, 0);
}
