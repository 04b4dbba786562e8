// The kernels of the fused step against their scalar twins, on every vector type of this CPU: odd sizes, and inputs and
// outputs at the end of memory.
#include "fast/simd/kernels.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "fast/simd/product.h"
#include "fast/tests/fenced.h"
#include "fast/tests/targets.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/linear/formulas.h"
#include "manual/networks.h"
#include "manual/tanh/formulas.h"

using namespace byhand;

namespace {

constexpr std::size_t kMost = 53;  // two panels, the second not full

struct Shape3 {
    std::size_t n, in, out;
};

// Random extents 1 … 53; each small one three times, in each place; and the largest.
std::vector<Shape3> shapes() {
    std::mt19937 random(3);
    const auto extent = [&] { return 1 + random() % kMost; };
    // The last three have sums longer than registers accumulate at once: over rows, by rows and by columns, and over
    // seven panels.
    std::vector<Shape3> all = {{1, 1, 1}, {kMost, kMost, kMost}, {300, 21, 45}, {270, 53, 27}, {19, 310, 297}};
    for (std::size_t k = 1; k <= kMost; ++k) {
        all.push_back({k, extent(), extent()});
        all.push_back({extent(), k, extent()});
        all.push_back({extent(), extent(), k});
    }
    return all;
}

// A sum of products: the kernel, its twin, and the exact terms.
struct Product {
    std::vector<float> result, twin;
    std::vector<double> exact, terms;  // Σ and Σ|…| of the same products, in double
    std::size_t length;                // of each sum
};

// Each must be within γ = m·u/(1 − m·u) of the exact sum, times Σ|terms| (Higham, Accuracy and Stability, 3.1: in any
// order, with fused multiply-adds or without); m counts the products, the additions and the bias.
void check(const Product& p) {
    const double m = static_cast<double>(p.length + 2) * 0x1p-24;
    for (std::size_t i = 0; i < p.result.size(); ++i) {
        INFO("element " << i);
        const double allowed = m / (1 - m) * p.terms[i];
        CHECK(std::fabs(static_cast<double>(p.result[i]) - p.exact[i]) <= allowed);
        CHECK(std::fabs(static_cast<double>(p.twin[i]) - p.exact[i]) <= allowed);
    }
}

// c = a·b with bias: a(i, k), b(k, j) as functions.
template <class A, class B, class Bias>
void exact(Product& p, std::size_t rows, std::size_t depth, std::size_t columns, A a, B b, Bias bias) {
    p.length = depth;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            double sum = bias(j), size = std::fabs(bias(j));
            for (std::size_t k = 0; k < depth; ++k) {
                const double term = static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
                sum += term;
                size += std::fabs(term);
            }
            p.exact.push_back(sum);
            p.terms.push_back(size);
        }
    }
}

constexpr std::size_t kLine = 16;

// Inputs at the end of memory, the output followed by `after` floats.
class Bench {
public:
    explicit Bench(std::size_t after) : after_(after) {}

    // Each product some rows at a time, as on several threads.
    Product forward(const Shape3& s, const std::vector<float>& x, const std::vector<float>& W,
                    const std::vector<float>& b) {
        const std::vector<Panel> in = panels_of(s.in), out = panels_of(s.out);
        const Panels fx = place(in1_, x, s.n, s.in, in);
        const auto fW = place(in2_, W, s.in, s.out, out);
        const auto fb = place(in3_, b.empty() ? std::vector<float>(s.out) : b, 1, s.out, out);
        const auto y = out_.last(s.n * padded(s.out), after_);
        for (const Panel& p : out) {
            for (const RowRange& rows : {RowRange{0, s.n / 3}, RowRange{s.n / 3, s.n}}) {
                simd::products().linear_forward(in_panel(y.data(), s.n, p) + rows.first * p.width, fx,
                                                in_panel(fW.data, s.in, p), b.empty() ? nullptr : fb.data + p.from,
                                                rows, p);
            }
        }
        Product p{std::vector<float>(s.n * s.out), std::vector<float>(s.n * s.out), {}, {}, 0};
        from_panels(p.result.data(), y.data(), s.n, s.out);
        CHECK(out_.untouched_around());
        if (b.empty()) {
            matmul_forward(p.twin.data(), x.data(), W.data(), s.n, s.in, s.out);
        } else {
            linear_forward(p.twin.data(), x.data(), W.data(), b.data(), s.n, s.in, s.out);
        }
        exact(
            p, s.n, s.in, s.out, [&](auto i, auto k) { return x[i * s.in + k]; },
            [&](auto k, auto j) { return W[k * s.out + j]; }, [&](auto j) { return b.empty() ? 0.0 : b[j]; });
        return p;
    }

    Product input_backward(const Shape3& s, const std::vector<float>& dy, const std::vector<float>& W) {
        const std::vector<Panel> in = panels_of(s.in), out = panels_of(s.out);
        const Panels fdy = place(in1_, dy, s.n, s.out, out);
        const Panels fW = place(in2_, W, s.in, s.out, out);
        const auto dx = out_.last(s.n * padded(s.in), after_);
        for (const Panel& q : in) {
            const auto scratch = in3_.last(padded(s.out) * q.width);
            for (const RowRange& rows : {RowRange{0, s.n / 3}, RowRange{s.n / 3, s.n}}) {
                simd::products().linear_input_backward(in_panel(dx.data(), s.n, q), fdy, fW, scratch.data(), rows, q);
            }
            CHECK(in3_.untouched_around());
        }
        Product p{std::vector<float>(s.n * s.in), std::vector<float>(s.n * s.in), {}, {}, 0};
        from_panels(p.result.data(), dx.data(), s.n, s.in);
        CHECK(out_.untouched_around());
        linear_input_backward(p.twin.data(), dy.data(), W.data(), s.n, s.in, s.out);
        exact(
            p, s.n, s.out, s.in, [&](auto i, auto j) { return dy[i * s.out + j]; },
            [&](auto j, auto k) { return W[k * s.out + j]; }, [](auto) { return 0.0; });
        return p;
    }

    Product weight_backward(const Shape3& s, const std::vector<float>& x, const std::vector<float>& dy) {
        const std::vector<Panel> in = panels_of(s.in), out = panels_of(s.out);
        const Panels fx = place(in1_, x, s.n, s.in, in);
        const Panels fdy = place(in2_, dy, s.n, s.out, out);
        const auto dW = out_.last(s.in * padded(s.out), after_);
        for (const Panel& p : out) {
            for (const Panel& q : in) {
                simd::products().linear_weight_backward(in_panel(dW.data(), s.in, p) + q.from * p.width,
                                                        in_panel(fx.data, s.n, q), q, in_panel(fdy.data, s.n, p), p,
                                                        s.n);
            }
        }
        Product p{std::vector<float>(s.in * s.out), std::vector<float>(s.in * s.out), {}, {}, 0};
        from_panels(p.result.data(), dW.data(), s.in, s.out);
        CHECK(out_.untouched_around());
        linear_weight_backward(p.twin.data(), x.data(), dy.data(), s.n, s.in, s.out);
        exact(
            p, s.in, s.n, s.out, [&](auto k, auto i) { return x[i * s.in + k]; },
            [&](auto i, auto j) { return dy[i * s.out + j]; }, [](auto) { return 0.0; });
        return p;
    }

    using Map = void (*)(float*, const float*, std::size_t);

    // f(x) out of place and in place, which must be equal.
    std::vector<float> map(Map f, const std::vector<float>& x) {
        const auto fx = in1_.last(x);
        const auto y = out_.last(x.size(), after_);
        f(y.data(), fx.data(), x.size());
        CHECK(out_.untouched_around());
        std::vector<float> result(y.begin(), y.end());
        const auto in_place = in2_.last(x);
        f(in_place.data(), in_place.data(), x.size());
        CHECK(in2_.untouched_around());
        CHECK(std::equal(in_place.begin(), in_place.end(), result.begin()));
        return result;
    }

private:
    static constexpr std::size_t kRoom = 1 << 17;

    static Panels place(fenced::Floats& memory, const std::vector<float>& values, std::size_t rows, std::size_t columns,
                        const std::vector<Panel>& panels) {
        const std::span<float> span = memory.last(rows * padded(columns));
        to_panels(span.data(), values.data(), rows, columns);
        return {span.data(), rows, panels};
    }

    std::size_t after_;
    fenced::Floats in1_{kRoom}, in2_{kRoom}, in3_{kRoom}, out_{kRoom};
};

template <class Draw>
std::vector<float> draw(std::size_t count, Draw one) {
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), one);
    return values;
}

// Canaries take as long to check as the sums: a few floats after an output are enough to detect too wide a store.
constexpr std::array<std::size_t, 2> kAfter = {0, kLine};

template <class Draw, class Visit>
void for_each_product(Draw one, Visit visit) {
    for (const std::size_t after : kAfter) {
        Bench bench(after);
        for (const Shape3& s : shapes()) {
            const auto x = draw(s.n * s.in, one), W = draw(s.in * s.out, one), b = draw(s.out, one),
                       dy = draw(s.n * s.out, one);
            INFO("n " << s.n << ", in " << s.in << ", out " << s.out << ", " << after << " places after it");
            visit(bench.forward(s, x, W, b));
            visit(bench.forward(s, x, W, {}));
            visit(bench.input_backward(s, dy, W));
            visit(bench.weight_backward(s, x, dy));
        }
    }
}

}  // namespace

// Sums of integers below 2²⁴ are exact in any order.
TEST_CASE("kernels: products of integers are those of the scalar twins, to the bit") {
    targets::for_each([] {
        std::mt19937 random(1);
        for_each_product([&] { return static_cast<float>(random() % 17) - 8; },
                         [](const Product& p) {
                             CHECK(p.result == p.twin);
                             CHECK(std::equal(p.result.begin(), p.result.end(), p.exact.begin()));
                         });
    });
}

TEST_CASE("kernels: products are within the error bound of their sums") {
    targets::for_each([] {
        std::mt19937 random(2);
        for_each_product([&] { return networks::uniform(random, -1, 2); }, check);
    });
}

TEST_CASE("kernels: an infinity or a NaN in one element reaches its own sums, and no other") {
    targets::for_each([] {
        const Shape3 s{5, 7, 13};
        for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
            std::vector<float> x(s.n * s.in, 1), W(s.in * s.out, 1), b(s.out, 1);
            W[3 * s.out + 12] = bad;  // in the last column
            Bench bench(0);
            const Product p = bench.forward(s, x, W, b);
            for (std::size_t i = 0; i < p.result.size(); ++i) {
                CHECK(std::isfinite(p.result[i]) == (i % s.out != 12));
            }
        }
    });
}

TEST_CASE("kernels: a transpose writes its rows, zeros in the padding, and nothing else") {
    targets::for_each([] {
        constexpr std::size_t kRow = 80;  // of the result, wider than what is written
        fenced::Floats read(kMost * padded(kMost)), made(kMost * kRow);
        for (const auto& [rows, columns, width] : {std::array{1U, 1U, 16U},
                                                   {1U, 53U, 48U},
                                                   {16U, 16U, 16U},
                                                   {17U, 15U, 32U},
                                                   {31U, 33U, 32U},
                                                   {53U, 3U, 64U}}) {
            CAPTURE(rows, columns, width);
            const std::size_t row = padded(columns);
            const std::span<float> from = read.last(rows * row), to = made.last(columns * kRow);
            for (std::size_t k = 0; k < from.size(); ++k) {
                from[k] = static_cast<float>(k + 1);
            }
            std::vector<float> expected(to.begin(), to.end());
            for (std::size_t j = 0; j < columns; ++j) {
                for (std::size_t i = 0; i < width; ++i) {
                    expected[j * kRow + i] = i < rows ? from[i * row + j] : 0;
                }
            }
            simd::transpose({to.data(), kRow, width, columns}, from.data(), row, rows);
            CHECK(std::ranges::equal(to, expected));
            CHECK(made.untouched_around());
        }
    });
}

TEST_CASE("kernels: tanh and exp of any count write exactly the requested elements, in place too") {
    targets::for_each([] {
        std::mt19937 random(4);
        for (std::size_t after = 0; after < 5; ++after) {
            Bench bench(after);
            for (std::size_t count = 0; count <= 70; ++count) {
                const auto x = draw(count, [&] { return networks::uniform(random, -9, 9); });
                std::vector<float> twin(count);
                INFO("count " << count << ", " << after << " places after it");
                const auto close = [](float a, float b) { return std::fabs(a - b) <= 5 * 0x1p-23F * std::fabs(b); };
                tanh_forward(twin.data(), x.data(), count);
                const auto h = bench.map(simd::tanh_forward, x);
                CHECK(std::equal(h.begin(), h.end(), twin.begin(), close));
                softmax_exp(twin.data(), x.data(), count);
                const auto y = bench.map(simd::exp_forward, x);
                CHECK(std::equal(y.begin(), y.end(), twin.begin(), close));
            }
        }
    });
}
