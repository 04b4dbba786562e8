#include "fast/by_columns.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

#include "fast/tests/targets.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

std::vector<float> drawn(std::size_t count, std::mt19937& random) {
    std::vector<float> values(count);
    for (float& value : values) {
        value = networks::uniform(random, -1, 2);
    }
    return values;
}

std::vector<float> by_rows(const PanelMatrix& dy, const PanelMatrix& W) {
    PanelMatrix dx(dy.rows, W.rows);
    std::vector<float> result(dy.rows * W.rows);
    AlignedVector<float> scratch(padded(W.columns) * kWidestPanel);
    for (const Panel& q : dx.panels) {
        simd::products().linear_input_backward(dx.in(q), dy.view(), W.view(), scratch.data(), {0, dy.rows}, q);
    }
    dx.copy_to(result.data());
    return result;
}

// From row `middle` on first, then the rows before it.
std::vector<float> by_columns(const PanelMatrix& dy, const PanelMatrix& W, std::size_t middle) {
    PanelMatrix dx(dy.rows, W.rows);
    std::vector<float> result(dy.rows * W.rows);
    AlignedVector<float> columns(padded(dy.rows) * padded(W.columns)), scratch(kWidestPanel * kWidestPanel);
    for (const RowRange& rows : {RowRange{middle, dy.rows}, RowRange{0, middle}}) {
        for (const Panel& p : dy.panels) {
            to_columns(columns.data(), dy.view(), p, rows);
        }
        for (const Panel& q : dx.panels) {
            input_backward_by_columns(dx.in(q), q, columns.data(), W.view(), scratch.data(), rows, simd::products());
        }
    }
    dx.copy_to(result.data());
    return result;
}

}  // namespace

TEST_CASE("dx by columns: the same bytes as by rows") {
    struct Shape {
        std::size_t n, in, out;
    };
    targets::for_each([] {
        std::mt19937 random(7);
        for (const Shape& s : {Shape{1, 1, 1}, {5, 9, 3}, {49, 33, 7}, {97, 30, 200}, {131, 53, 27}, {64, 59, 311}}) {
            INFO("n " << s.n << ", in " << s.in << ", out " << s.out);
            const PanelMatrix dy(drawn(s.n * s.out, random).data(), s.n, s.out);
            const PanelMatrix W(drawn(s.in * s.out, random).data(), s.in, s.out);
            CHECK(by_columns(dy, W, s.n / (2 * kWidestPanel) * kWidestPanel) == by_rows(dy, W));
        }
    });
}

TEST_CASE("dx by columns: pays where it transposes or pads less, unless dy is large and W is prefetched") {
    for (const bool prefetched : {false, true}) {
        // Less padding of 30 columns, and less to transpose.
        CHECK(pays_by_columns(32, 30, 200, prefetched));
        CHECK(pays_by_columns(128, 512, 512, prefetched));
        // dx would be transposed back, or 9 rows be padded.
        CHECK_FALSE(pays_by_columns(256, 1024, 27, prefetched));
        CHECK_FALSE(pays_by_columns(9, 48, 48, prefetched));
    }
    CHECK(pays_by_columns(256, 512, 1024, false));
    CHECK_FALSE(pays_by_columns(256, 512, 1024, true));
}

TEST_CASE("dW of few outputs: the same bytes by columns as by rows") {
    targets::for_each([] {
        std::mt19937 random(11);
        for (const std::size_t n : {1U, 63U, 64U, 201U, 530U}) {
            INFO("n " << n);
            constexpr std::size_t kIn = 47, kOut = 27;
            PanelMatrix x(drawn(n * kIn, random).data(), n, kIn), dy(drawn(n * kOut, random).data(), n, kOut);
            const Panel& q = x.panels.front();
            Panel p = dy.panels.front();
            AlignedVector<float> dW(kIn * p.width), by_rows(kIn * p.width);
            simd::products().linear_weight_backward(dW.data(), x.in(q), q, dy.in(p), p, n);
            p.used = p.width;  // by columns would not save any padding
            simd::products().linear_weight_backward(by_rows.data(), x.in(q), q, dy.in(p), p, n);
            CHECK(dW == by_rows);
        }
    });
}
