// A linear's weights updated together with their gradient: the same bits as the gradient followed by the descent, on
// every vector type of this CPU, for sums in one piece and in several, by rows and by columns.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>

#include "base/tensors.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/product.h"
#include "fast/tests/targets.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

PanelMatrix some(std::mt19937& random, std::size_t n, std::size_t width) {
    PanelMatrix matrix(n, width);
    std::ranges::generate(matrix.data, [&] { return networks::uniform(random, -1, 2); });
    return matrix;
}

}  // namespace

TEST_CASE("kernels: weights updated with their gradient equal those updated after it") {
    constexpr float kRate = 0.37F, kNothing = std::numeric_limits<float>::quiet_NaN();
    targets::for_each([&] {
        std::mt19937 random(5);
        for (const std::size_t n : {1U, 7U, 65U, 256U, 257U, 530U}) {
            for (const auto& [in, out] : {std::pair{1U, 1U}, {9U, 50U}, {47U, 27U}}) {
                INFO("n " << n << ", in " << in << ", out " << out);
                const PanelMatrix W = some(random, in, out);
                PanelMatrix x = some(random, n, in), dy = some(random, n, out);
                const Panel& q = x.panels.back();
                const Panel& p = dy.panels.back();
                const float* const old_W = in_panel(W.data.data(), in, p) + q.from * p.width;
                const std::size_t count = q.used * p.width;
                AlignedVector<float> dW(count), expected(count);
                simd::products().linear_weight_backward(dW.data(), x.in(q), q, dy.in(p), p, n);
                simd::descend(expected.data(), old_W, dW.data(), kRate, count);
                for (const bool kept : {true, false}) {
                    AlignedVector<float> gradient(count, kNothing), new_W(count, kNothing);
                    simd::products().linear_descend({new_W.data(), old_W, kRate}, gradient.data(), kept, x.in(q), q,
                                                    dy.in(p), p, n);
                    CHECK(std::ranges::equal(new_W, expected));
                    CHECK((!kept || std::ranges::equal(gradient, dW)));
                }
            }
        }
    });
}
