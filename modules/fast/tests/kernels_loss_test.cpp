// The fused step's loss and its gradient against the formulas in double, on every vector type of this CPU.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/tensors.h"
#include "fast/simd/kernels.h"
#include "fast/tests/targets.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

struct Logits {
    std::size_t n, V;
    std::vector<float> values;
    std::vector<std::int64_t> Y;
};

Logits drawn(std::size_t n, std::size_t V, float spread, std::mt19937& random) {
    Logits logits{n, V, std::vector<float>(n * V), std::vector<std::int64_t>(n)};
    std::ranges::generate(logits.values, [&] { return networks::uniform(random, -spread, spread); });
    std::ranges::generate(logits.Y, [&] { return static_cast<std::int64_t>(random() % V); });
    return logits;
}

struct LossAndGradient {
    std::vector<float> losses, dlogits;
    bool padding_is_zero = true;
};

// Some rows at a time, as on several threads.
LossAndGradient by_kernel(const Logits& logits) {
    const std::vector<Panel> panels = panels_of(logits.V);
    AlignedVector<float> values(logits.n * padded(logits.V)), dlogits(values.size(), 7.0F);
    to_panels(values.data(), logits.values.data(), logits.n, logits.V);
    LossAndGradient exact{std::vector<float>(logits.n), std::vector<float>(logits.n * logits.V)};
    for (const RowRange& rows : {RowRange{0, logits.n / 2}, RowRange{logits.n / 2, logits.n}}) {
        simd::cross_entropy_with_gradient(exact.losses.data(), dlogits.data(), {values.data(), logits.n, panels},
                                          logits.Y.data(), logits.n, rows);
    }
    from_panels(exact.dlogits.data(), dlogits.data(), logits.n, logits.V);
    AlignedVector<float> clean(dlogits.size());
    to_panels(clean.data(), exact.dlogits.data(), logits.n, logits.V);
    exact.padding_is_zero = clean == dlogits;
    return exact;
}

}  // namespace

TEST_CASE("kernels: cross-entropy and its gradient equal the formulas in double up to rounding") {
    std::mt19937 random(8);
    targets::for_each([&] {
        for (const auto& [n, V] :
             {std::pair<std::size_t, std::size_t>{1, 1}, {3, 2}, {5, 27}, {7, 16}, {2, 49}, {4, 131}}) {
            for (const float spread : {0.1F, 3.0F, 60.0F}) {
                INFO("n " << n << ", V " << V << ", spread " << spread);
                const Logits logits = drawn(n, V, spread, random);
                const LossAndGradient found = by_kernel(logits);
                const std::vector<double> wide(logits.values.begin(), logits.values.end());
                std::vector<double> dlogits(n * V);
                cross_entropy_backward(dlogits.data(), wide.data(), logits.Y.data(), n, V, n);
                CHECK(found.padding_is_zero);
                for (std::size_t i = 0; i < n; ++i) {
                    double loss = 0;
                    cross_entropy_forward(&loss, wide.data() + i * V, logits.Y.data() + i, 1, V, 1);
                    // Half units of rounding: of the difference of two logits of this magnitude, of exp (4 ULP, twice
                    // that many), of V terms in any order, of the results, and of the loss itself.
                    const double within =
                        0x1p-24 * (4 * static_cast<double>(spread) + 8 + static_cast<double>(V) + 4 + 2 * loss);
                    CHECK(std::fabs(static_cast<double>(found.losses[i]) - loss) <= within);
                    for (std::size_t j = 0; j < V; ++j) {
                        const double right = dlogits[i * V + j];
                        CHECK(std::fabs(static_cast<double>(found.dlogits[i * V + j]) - right) <=
                              within / static_cast<double>(n));
                    }
                }
            }
        }
    });
}

TEST_CASE("kernels: cross-entropy of a non-finite logit is non-finite, in no other row") {
    std::mt19937 random(9);
    targets::for_each([&] {
        for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
            for (std::size_t j = 0; j < 27; ++j) {
                Logits logits = drawn(3, 27, 2, random);
                logits.values[27 + j] = bad;
                const LossAndGradient found = by_kernel(logits);
                CHECK(std::isfinite(found.losses[0]));
                CHECK_FALSE(std::isfinite(found.losses[1]));
                CHECK(std::isfinite(found.losses[2]));
            }
        }
    });
}
