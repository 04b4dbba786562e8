// Dropout's mask and key against independently computed values: splitmix64 and the generator mod 2^24 in Python,
//     s = (struct.unpack('<I', struct.pack('<f', key))[0] << 32) + i + 0x9e3779b97f4a7c15, and so on;
//     u = z >> 40; key = (1140671485 * key + 12820163) % 2**24.
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/tests/targets.h"
#include "manual/dropout/formulas.h"

using namespace byhand;

namespace {

// u for key 3 begins 0.6009, 0.5542, 0.1867, 0.8303, 0.3471, 0.9622, 0.3783, 0.3563, 0.9260.
template <class T>
std::vector<T> mask(T key, std::size_t count, double p) {
    std::vector<T> made(count, T(99));
    dropout_mask(made.data(), &key, 0, count, p);
    return made;
}

}  // namespace

TEST_CASE("dropout: elements are dropped with probability p, and kept ones are scaled by 1/(1 - p)") {
    const double s = 1 / 0.625;  // p = 0.375
    CHECK(mask<double>(3, 9, 0.375) == std::vector<double>{s, s, 0, s, 0, s, s, 0, s});
    CHECK(mask<float>(3, 9, 0.375) == std::vector<float>{1.6F, 1.6F, 0, 1.6F, 0, 1.6F, 1.6F, 0, 1.6F});
    CHECK(mask<double>(3, 4, 0) == std::vector<double>{1, 1, 1, 1});
    CHECK(mask<double>(3, 0, 0.5).empty());
    // Another key: u begins 0.8833, 0.5666, 0.5912, 0.1135, 0.4315.
    CHECK(mask<double>(0, 5, 0.5) == std::vector<double>{2, 2, 2, 0, 0});
}

TEST_CASE("dropout: the share of dropped elements is p") {
    std::size_t dropped = 0;
    for (const double x : mask<double>(12820163, 100'000, 0.3)) {
        dropped += x == 0 ? 1 : 0;
    }
    CHECK(dropped > 29'500);  // 0.3 ± 3.5 standard deviations of 0.00145
    CHECK(dropped < 30'500);
}

TEST_CASE("kernels: the mask of a dropout is the same on every vector type") {
    constexpr std::size_t kFar = (std::size_t{1} << 32) - 5;
    targets::for_each([&] {
        for (const float key : {0.0F, 3.0F, 12820163.0F}) {
            for (const double p : {0.0, 0x1p-24, 0.1, 0.375, 0.5, 0.9, 1 - 0x1p-24}) {
                for (const std::size_t columns : {1, 17, 48, 103}) {
                    for (const RowRange& rows : {RowRange{0, 0}, {0, 1}, {7, 12}, {kFar, kFar + 3}}) {
                        INFO("key " << key << ", p " << p << ", columns " << columns << ", rows from " << rows.first);
                        const std::size_t n = rows.last - rows.first;
                        for (const Panel& panel : panels_of(columns)) {
                            std::vector<float> expected(n * panel.width + 1, 99), made = expected;
                            for (std::size_t i = 0; i < n; ++i) {
                                dropout_mask(expected.data() + i * panel.width, &key,
                                             (rows.first + i) * columns + panel.from, panel.used, p);
                            }
                            simd::dropout_mask(made.data(), &key, rows, columns, panel, p);
                            CHECK(made == expected);
                        }
                    }
                }
            }
        }
    });
}

TEST_CASE("dropout: forward and backward multiply by the same mask") {
    const std::vector<double> x = {0.5, -2, 3, 0}, m = {0, 1.6, 1.6, 1.6}, dy = {7, 0.25, -1, 2};
    std::vector<double> y(4), dx(4);
    dropout_forward(y.data(), x.data(), m.data(), 4);
    dropout_backward(dx.data(), dy.data(), m.data(), 4);
    CHECK(y == std::vector<double>{0, -2 * 1.6, 3 * 1.6, 0});
    CHECK(dx == std::vector<double>{0, 0.25 * 1.6, -1.6, 2 * 1.6});
}

TEST_CASE("dropout: the key advances, equally in float and in double") {
    double key = 7;
    auto in_float = static_cast<float>(key);
    for (const double expected : {11565742.0, 4089529.0, 2526872.0, 6836987.0}) {
        dropout_key_update(&key, &key);
        dropout_key_update(&in_float, &in_float);
        CHECK(key == expected);
        CHECK(in_float == static_cast<float>(expected));
    }
}
