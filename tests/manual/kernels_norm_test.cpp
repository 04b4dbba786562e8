// The fused step's norm on a panel against the formulas of batchnorm.h: the same bits, on every kind of vector this CPU
// has.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "manual/batchnorm.h"
#include "manual/fenced.h"
#include "manual/linear.h"
#include "manual/networks.h"
#include "manual/panels.h"
#include "manual/simd/kernels.h"
#include "manual/simd/norm.h"
#include "manual/tanh.h"
#include "manual/targets.h"
#include "manual/update.h"

using namespace byhand;

namespace {

// (n, width), drawn, at the end of memory.
class Numbers {
public:
    Numbers(std::size_t count, std::mt19937& random, float low, float high)
        : memory_(count), numbers_(memory_.last(count)) {
        std::ranges::generate(numbers_, [&] { return networks::uniform(random, low, high); });
    }
    explicit Numbers(std::size_t count) : memory_(count), numbers_(memory_.last(count)) {}

    float* data() { return numbers_.data(); }
    std::vector<float> copy() const { return {numbers_.begin(), numbers_.end()}; }

private:
    fenced::Floats memory_;
    std::span<float> numbers_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct Size {
    std::size_t n, width;
};
constexpr Size kSizes[] = {{1, 16}, {2, 48}, {7, 32}, {8, 16}, {9, 48}, {33, 48}, {130, 32}};

std::vector<NormConfig> norms_for(std::size_t n) {
    std::vector<NormConfig> fitting;
    for (NormConfig norm : networks::norms()) {
        if (norm.place != NormPlace::none && (n > 1 || norm.batch_divisor == Divisor::n)) {
            fitting.push_back(norm);
        }
    }
    return fitting;
}

template <class Visit>
void for_each_norm(Visit visit) {
    targets::for_each([&] {
        for (const Size& size : kSizes) {
            for (const NormConfig& norm : norms_for(size.n)) {
                INFO("n " << size.n << ", width " << size.width << ", affine " << norm.affine);
                visit(size.n, size.width, norm);
            }
        }
    });
}

}  // namespace

TEST_CASE("kernels: the norm forwards is batchnorm.h's, to the bit") {
    std::mt19937 random(5);
    for_each_norm([&](std::size_t n, std::size_t H, const NormConfig& norm) {
        Numbers x(n * H, random, -3, 5), gain(H, random, -2, 3), bias(H, random, -1, 1);
        Numbers y(n * H), raw(n * H), mean(H), var(H), inv(H);
        const bool affine = norm.affine;
        simd::batchnorm_forward(y.data(), x.data(),
                                {n, H, mean.data(), var.data(), inv.data(), raw.data(), affine ? gain.data() : nullptr,
                                 affine ? bias.data() : nullptr},
                                norm);

        std::vector<float> y2(n * H), raw2(n * H), mean2(H), var2(H), inv2(H);
        batchnorm_mean(mean2.data(), x.data(), n, H);
        batchnorm_difference(raw2.data(), x.data(), mean2.data(), n, H);
        batchnorm_variance_of_differences(var2.data(), raw2.data(), n, H, norm.batch_divisor);
        batchnorm_inverse_deviation(inv2.data(), var2.data(), H, norm.epsilon, norm.epsilon_place);
        batchnorm_normalise(raw2.data(), raw2.data(), inv2.data(), n, H);
        batchnorm_scale_shift(y2.data(), raw2.data(), gain.data(), bias.data(), n, H);
        CHECK(same_bits(mean.copy(), mean2));
        CHECK(same_bits(var.copy(), var2));
        if (n > 1) {  // one row has no spread: infinities and NaN, whose bits say nothing
            CHECK(same_bits(inv.copy(), inv2));
            CHECK(same_bits(raw.copy(), raw2));
            CHECK(same_bits(y.copy(), affine ? y2 : raw2));
        }
    });
}

TEST_CASE("kernels: the norm backwards is batchnorm.h's, to the bit") {
    std::mt19937 random(6);
    for_each_norm([&](std::size_t n, std::size_t H, const NormConfig& norm) {
        Numbers dy(n * H, random, -2, 3), raw(n * H, random, -2, 2), gain(H, random, -2, 3), inv(H, random, 0.1F, 2),
            var(H, random, 0.1F, 4), dgain(H), dbias(H);
        const std::vector<float> given = dy.copy();
        const bool affine = norm.affine;
        std::vector<float> dx2(n * H), dgain2(H), dbias2(H);
        if (affine) {
            batchnorm_gain_backward(dgain2.data(), given.data(), raw.data(), n, H);
            batchnorm_bias_backward(dbias2.data(), given.data(), n, H);
            batchnorm_affine_backward(dx2.data(), given.data(), dgain2.data(), dbias2.data(), raw.data(), gain.data(),
                                      inv.data(), var.data(), n, H, norm.batch_divisor, norm.epsilon,
                                      norm.epsilon_place);
        } else {
            batchnorm_backward(dx2.data(), given.data(), raw.data(), inv.data(), var.data(), n, H, norm.batch_divisor,
                               norm.epsilon, norm.epsilon_place);
        }
        simd::batchnorm_backward(
            dy.data(), affine ? dgain.data() : nullptr, affine ? dbias.data() : nullptr,
            {n, H, nullptr, var.data(), inv.data(), raw.data(), affine ? gain.data() : nullptr, nullptr}, norm);
        CHECK(same_bits(dy.copy(), dx2));
        if (affine) {
            CHECK(same_bits(dgain.copy(), dgain2));
            CHECK(same_bits(dbias.copy(), dbias2));
        }
    });
}

TEST_CASE("kernels: a bias's gradient, tanh's and a step downhill are those of the formulas, to the bit") {
    std::mt19937 random(7);
    targets::for_each([&] {
        for (const auto& [n, H] : kSizes) {
            INFO("n " << n << ", width " << H);
            Numbers x(n * H, random, -3, 5), h(n * H, random, -1, 1), sums(H), dx(n * H), next(n * H);
            std::vector<float> sums2(H), dx2(n * H), next2(n * H);
            simd::sum_rows(sums.data(), x.data(), n, H);
            linear_bias_backward(sums2.data(), x.data(), n, H);
            CHECK(same_bits(sums.copy(), sums2));
            simd::tanh_backward(dx.data(), x.data(), h.data(), n * H);
            tanh_backward(dx2.data(), x.data(), h.data(), n * H);
            CHECK(same_bits(dx.copy(), dx2));
            const float rate = 0.3F;
            simd::descend(next.data(), h.data(), x.data(), rate, n * H);
            descend(next2.data(), h.data(), x.data(), &rate, n * H);
            CHECK(same_bits(next.copy(), next2));
        }
    });
}
