// Kernels by character against the formulas of embedding.h, in double where the order differs, on every vector type of
// this CPU.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "fast/simd/kernels.h"
#include "fast/tests/fenced.h"
#include "fast/tests/targets.h"
#include "manual/embedding/formulas.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

std::vector<float> floats(std::mt19937& random, std::size_t count) {
    std::vector<float> all(count);
    std::ranges::generate(all, [&] { return networks::uniform(random, -1, 2); });
    return all;
}

struct Example {
    std::size_t n, T, V, width;
    std::vector<std::int64_t> X;

    simd::Contexts contexts() const { return {X.data(), n, T, V}; }
    std::size_t row(std::size_t i, std::size_t t) const { return t * V + static_cast<std::size_t>(X[i * T + t]); }
};

template <class Visit>
void for_each_example(Visit visit) {
    targets::for_each([&] {
        std::mt19937 random(13);
        for (const std::size_t n : {1U, 7U, 256U, 257U, 531U}) {
            for (const auto& [T, V] : {std::pair{1U, 1U}, {1U, 27U}, {3U, 5U}, {8U, 2U}}) {
                for (const std::size_t width : {16U, 32U, 48U}) {
                    INFO("n " << n << ", T " << T << ", V " << V << ", width " << width);
                    visit(Example{n, T, V, width, networks::characters(random, n * T, V)}, random);
                }
            }
        }
    });
}

}  // namespace

TEST_CASE("kernels: rows looked up by character are those of the table, summed in the order of the positions") {
    for_each_example([](const Example& e, std::mt19937& random) {
        const std::vector<float> table = floats(random, e.T * e.V * e.width), b = floats(random, e.width);
        fenced::Floats read(table.size()), bias(b.size()), made(e.n * e.width);
        const std::span<float> from = read.last(table), onto = bias.last(b);
        std::vector<float> expected(e.n * e.width), with_bias(expected.size());
        for (std::size_t i = 0; i < e.n; ++i) {
            for (std::size_t j = 0; j < e.width; ++j) {
                float sum = table[e.row(i, 0) * e.width + j];
                for (std::size_t t = 1; t < e.T; ++t) {
                    sum += table[e.row(i, t) * e.width + j];
                }
                expected[i * e.width + j] = sum;
                with_bias[i * e.width + j] = sum + b[j];
            }
        }
        if (e.T == 1) {
            std::vector<float> twin(expected.size());
            embedding_forward(twin.data(), table.data(), e.X.data(), e.n, e.width);
            CHECK(std::ranges::equal(twin, expected));
        }
        const std::span<float> y = made.last(e.n * e.width);
        simd::look_up_by_character(y.data(), from.data(), e.contexts(), nullptr, e.width);
        CHECK(std::ranges::equal(y, expected));
        simd::look_up_by_character(y.data(), from.data(), e.contexts(), onto.data(), e.width);
        CHECK(std::ranges::equal(y, with_bias));
        CHECK(made.untouched_around());
    });
}

TEST_CASE("kernels: sums by character equal the formula, to the bit if short, else with its error bound") {
    for_each_example([](const Example& e, std::mt19937& random) {
        const std::size_t size = e.T * e.V * e.width;
        const std::vector<float> gradient = floats(random, e.n * e.width);
        fenced::Floats read(gradient.size()), made(size), between(size);
        const std::span<float> dy = read.last(gradient), sums = made.last(size), scratch = between.last(size);
        simd::sum_by_character(sums.data(), scratch.data(), dy.data(), e.contexts(), e.width);
        CHECK(made.untouched_around());
        CHECK(between.untouched_around());

        std::vector<double> exact(size), sizes(size);
        for (std::size_t i = 0; i < e.n; ++i) {
            for (std::size_t t = 0; t < e.T; ++t) {
                for (std::size_t j = 0; j < e.width; ++j) {
                    const std::size_t at = e.row(i, t) * e.width + j;
                    exact[at] += gradient[i * e.width + j];
                    sizes[at] += std::abs(gradient[i * e.width + j]);
                }
            }
        }
        // At most 256 additions, and those of their sums: γ_m = m·u/(1 − m·u).
        constexpr double kUnit = 0x1p-24;
        const double terms = static_cast<double>(std::min<std::size_t>(e.n, 256) + e.n / 256);
        const double limit = terms * kUnit / (1 - terms * kUnit);
        bool within = true;
        for (std::size_t k = 0; k < size; ++k) {
            within = within && std::abs(static_cast<double>(sums[k]) - exact[k]) <= limit * sizes[k];
        }
        CHECK(within);
        if (e.T == 1 && e.n <= 256) {
            std::vector<float> twin(size);
            embedding_backward(twin.data(), gradient.data(), e.X.data(), e.n, e.V, e.width);
            CHECK(std::ranges::equal(sums, twin));
        }
    });
}
