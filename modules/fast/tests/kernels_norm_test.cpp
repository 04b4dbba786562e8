// The fused step's norm on a panel against the formulas of batchnorm.h: the same bits, on every vector type of this
// CPU.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "fast/tests/fenced.h"
#include "fast/tests/targets.h"
#include "manual/batchnorm/formulas.h"
#include "manual/linear/formulas.h"
#include "manual/networks.h"
#include "manual/optimizer/formulas.h"
#include "manual/tanh/formulas.h"

using namespace byhand;

namespace {

std::vector<float> drawn(std::size_t count, std::mt19937& random, float low, float high) {
    std::vector<float> numbers(count);
    std::ranges::generate(numbers, [&] { return networks::uniform(random, low, high); });
    return numbers;
}

// At the end of memory.
class Numbers {
public:
    explicit Numbers(const std::vector<float>& numbers) : memory_(numbers.size()), numbers_(memory_.last(numbers)) {}
    explicit Numbers(std::size_t count) : memory_(count), numbers_(memory_.last(count)) {}

    float* data() { return numbers_.data(); }
    std::vector<float> copy() const { return {numbers_.begin(), numbers_.end()}; }

private:
    fenced::Floats memory_;
    std::span<float> numbers_;
};

// Columns of every kind: equal numbers, tiny, subnormal and large ones, close ones, ±0, saturated units, and an
// outlier. `first` is the kind of the first column.
std::vector<float> hard_numbers(std::size_t n, std::size_t width, std::size_t first, std::mt19937& random) {
    std::vector<float> numbers(n * width);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
            float& x = numbers[i * width + j];
            x = networks::uniform(random, -1, 1);
            switch ((first + j) % 10) {
                case 0:
                    x = 3.5F;
                    break;
                case 1:
                    x *= 0x1p-60F;
                    break;
                case 2:
                    x *= 0x1p-100F;
                    break;
                case 3:
                    x *= 0x1p-130F;
                    break;
                case 4:
                    x *= 0x1p40F;
                    break;
                case 5:
                    x = 1000 + x * 0x1p-10F;
                    break;
                case 6:
                    x = std::copysign(0.0F, x);
                    break;
                case 7:
                    x = std::copysign(1 - (i % 3 == 0 ? 0x1p-24F : 0.0F), x);
                    break;
                case 8:
                    x += i + 1 == n ? 200.0F : 0.0F;
                    break;
                default:
                    break;
            }
        }
    }
    return numbers;
}

// NaN in both counts as equal.
bool same_numbers(const std::vector<float>& a, const std::vector<float>& b) {
    return std::ranges::equal(
        a, b, [](float x, float y) { return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0; });
}

struct Size {
    std::size_t n, width;
};
constexpr Size kSizes[] = {{1, 16}, {2, 48}, {7, 32}, {8, 16}, {9, 48}, {33, 48}, {130, 32}};

std::vector<NormConfig> norms_for(std::size_t n) {
    std::vector<NormConfig> fitting;
    for (networks::PlacedNorm norm : networks::norms()) {
        if (norm.place != "none" && (n > 1 || norm.batch_divisor == Divisor::n)) {
            fitting.push_back(norm);
        }
    }
    return fitting;
}

// Calls visit(n, width, norm, whether on hard numbers).
template <class Visit>
void for_each_norm(Visit visit) {
    targets::for_each([&] {
        for (const Size& size : kSizes) {
            for (const NormConfig& norm : norms_for(size.n)) {
                for (const bool is_hard : {false, true}) {
                    INFO("n " << size.n << ", width " << size.width << ", affine " << norm.affine << ", " << is_hard);
                    visit(size.n, size.width, norm, is_hard);
                }
            }
        }
    });
}

struct NormResult {
    std::vector<float> y, raw, mean, var, inv;
};

// x (n, H) normalised by the formulas of manual/batchnorm/formulas.h.
NormResult by_formulas(Numbers& x, Numbers& gain, Numbers& bias, std::size_t n, std::size_t H, const NormConfig& norm) {
    NormResult made{.y = std::vector<float>(n * H),
                    .raw = std::vector<float>(n * H),
                    .mean = std::vector<float>(H),
                    .var = std::vector<float>(H),
                    .inv = std::vector<float>(H)};
    batchnorm_mean(made.mean.data(), x.data(), n, H, n);
    batchnorm_difference(made.raw.data(), x.data(), made.mean.data(), n, H);
    batchnorm_variance_of_differences(made.var.data(), made.raw.data(), n, H, n, norm.batch_divisor);
    batchnorm_inverse_deviation(made.inv.data(), made.var.data(), H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(made.raw.data(), made.raw.data(), made.inv.data(), n, H);
    made.y = made.raw;
    if (norm.affine) {
        batchnorm_scale_shift(made.y.data(), made.raw.data(), gain.data(), bias.data(), n, H);
    }
    return made;
}

}  // namespace

namespace {

// Replaces dL/dy in dx by dL/dx, with the formulas of manual/batchnorm/formulas.h.
void by_formulas(float* dx, float* dgain, float* dbias, const simd::NormPanel& p, const NormConfig& norm) {
    const auto [n, H] = std::pair(p.n, p.width);
    if (norm.affine) {
        batchnorm_gain_backward(dgain, dx, p.raw, n, H);
        batchnorm_bias_backward(dbias, dx, n, H);
        batchnorm_affine_backward(dx, dx, dgain, dbias, p.raw, p.gain, p.inv, p.var, n, H, n, norm.batch_divisor,
                                  norm.epsilon, norm.epsilon_place);
    } else {
        batchnorm_backward(dx, dx, p.raw, p.inv, p.var, n, H, norm.batch_divisor, norm.epsilon, norm.epsilon_place);
    }
}

}  // namespace

TEST_CASE("kernels: the norm forward is batchnorm.h's, and tanh after it the kernel's, to the bit") {
    std::mt19937 random(5);
    for_each_norm([&](std::size_t n, std::size_t H, const NormConfig& norm, bool is_hard) {
        Numbers x(is_hard ? hard_numbers(n, H, 0, random) : drawn(n * H, random, -3, 5)),
            gain(is_hard ? hard_numbers(1, H, 3, random) : drawn(H, random, -2, 3)),
            bias(is_hard ? hard_numbers(1, H, 5, random) : drawn(H, random, -1, 1));
        const bool affine = norm.affine;
        const NormResult right = by_formulas(x, gain, bias, n, H, norm);
        std::vector<float> h(n * H);
        simd::tanh_forward(h.data(), right.y.data(), n * H);
        for (const bool with_tanh : {false, true}) {
            INFO("with tanh " << with_tanh);
            Numbers y(n * H), raw(n * H), mean(H), var(H), inv(H);
            (with_tanh ? simd::batchnorm_tanh_forward : simd::batchnorm_forward)(
                y.data(), x.data(),
                {n, n, H, mean.data(), var.data(), inv.data(), raw.data(), affine ? gain.data() : nullptr,
                 affine ? bias.data() : nullptr},
                norm);
            CHECK(same_numbers(mean.copy(), right.mean));
            CHECK(same_numbers(var.copy(), right.var));
            CHECK(same_numbers(inv.copy(), right.inv));
            CHECK(same_numbers(raw.copy(), right.raw));
            CHECK(same_numbers(y.copy(), with_tanh ? h : right.y));
        }
    });
}

TEST_CASE("kernels: the norm backward, with and without tanh, is the formulas', to the bit") {
    std::mt19937 random(6);
    for_each_norm([&](std::size_t n, std::size_t H, const NormConfig& norm, bool is_hard) {
        Numbers raw(is_hard ? hard_numbers(n, H, 0, random) : drawn(n * H, random, -2, 2)),
            h(is_hard ? hard_numbers(n, H, 3, random) : drawn(n * H, random, -1, 1)),
            gain(is_hard ? hard_numbers(1, H, 5, random) : drawn(H, random, -2, 3)), inv(drawn(H, random, 0.1F, 2)),
            var(is_hard ? hard_numbers(1, H, 7, random) : drawn(H, random, 0.1F, 4));
        const std::vector<float> given = is_hard ? hard_numbers(n, H, 2, random) : drawn(n * H, random, -2, 3);
        for (std::size_t j = 0; j < H; ++j) {
            var.data()[j] = std::abs(var.data()[j]);
            inv.data()[j] *= is_hard && j % 4 == 0 ? 0x1p60F : 1.0F;
        }
        std::ranges::transform(h.copy(), h.data(), [](float x) { return std::clamp(x, -1.0F, 1.0F); });
        const bool affine = norm.affine;
        for (const bool with_tanh : {false, true}) {
            INFO("with tanh " << with_tanh);
            std::vector<float> dx2 = given, dgain2(H), dbias2(H);
            if (with_tanh) {
                tanh_backward(dx2.data(), dx2.data(), h.data(), n * H);
            }
            by_formulas(dx2.data(), dgain2.data(), dbias2.data(),
                        {n, n, H, nullptr, var.data(), inv.data(), raw.data(), gain.data(), nullptr}, norm);
            Numbers dy(given), dgain(H), dbias(H);
            float* const dgains = affine ? dgain.data() : nullptr;
            float* const dbiases = affine ? dbias.data() : nullptr;
            const simd::NormPanel panel = {
                n, n, H, nullptr, var.data(), inv.data(), raw.data(), affine ? gain.data() : nullptr, nullptr};
            if (with_tanh) {
                simd::batchnorm_tanh_backward(dy.data(), dgains, dbiases, h.data(), panel, norm);
            } else {
                simd::batchnorm_backward(dy.data(), dgains, dbiases, panel, norm);
            }
            CHECK(same_numbers(dy.copy(), dx2));
            if (affine) {
                CHECK(same_numbers(dgain.copy(), dgain2));
                CHECK(same_numbers(dbias.copy(), dbias2));
            }
        }
    });
}

TEST_CASE("kernels: the gradients of a bias and of tanh, and a descent step, are the formulas', to the bit") {
    std::mt19937 random(7);
    targets::for_each([&] {
        for (const auto& [n, H] : kSizes) {
            INFO("n " << n << ", width " << H);
            Numbers x(drawn(n * H, random, -3, 5)), h(drawn(n * H, random, -1, 1)), sums(H), dx(n * H), next(n * H);
            std::vector<float> sums2(H), dx2(n * H), next2(n * H);
            simd::sum_rows(sums.data(), x.data(), n, H);
            linear_bias_backward(sums2.data(), x.data(), n, H);
            CHECK(same_numbers(sums.copy(), sums2));
            simd::tanh_backward(dx.data(), x.data(), h.data(), n * H);
            tanh_backward(dx2.data(), x.data(), h.data(), n * H);
            CHECK(same_numbers(dx.copy(), dx2));
            const float rate = 0.3F;
            simd::descend(next.data(), h.data(), x.data(), rate, n * H);
            descend(next2.data(), h.data(), x.data(), &rate, n * H);
            CHECK(same_numbers(next.copy(), next2));
        }
    });
}
