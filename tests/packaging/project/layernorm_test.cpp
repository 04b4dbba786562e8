#include <ATen/ATen.h>
#include <byhand/catch2.h>
#include <byhand/torch.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>

namespace {

// y = (x − mean)/√(variance + 1e-5), over each row of x (n, c).
template <class T>
void layernorm(T* y, const T* x, std::size_t n, std::size_t c) {
    for (std::size_t i = 0; i < n; ++i, x += c, y += c) {
        T mean = 0, variance = 0;
        for (std::size_t j = 0; j < c; ++j) {
            mean += x[j] / static_cast<T>(c);
        }
        for (std::size_t j = 0; j < c; ++j) {
            variance += (x[j] - mean) * (x[j] - mean) / static_cast<T>(c);
        }
        for (std::size_t j = 0; j < c; ++j) {
            y[j] = (x[j] - mean) / std::sqrt(variance + static_cast<T>(1e-5));
        }
    }
}

}  // namespace

TEST_CASE("layer norm") {
    REQUIRE_THAT(byhand::kernel("layernorm", layernorm<float>, layernorm<double>),
                 byhand::computes([](at::Tensor x) {
                     return at::layer_norm(x, {x.size(1)});
                 }).shapes({{1, 1}, {7, 27}, {33, 100}}));
}
