// The reimplemented generator against LibTorch's own.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "names/random.h"
#include "names/ulp.h"

namespace byhand {
namespace {

at::Generator libtorch_seeded(std::uint64_t seed) {
    return at::make_generator<at::CPUGeneratorImpl>(seed);
}

template <class T>
std::vector<T> values_of(const at::Tensor& tensor) {
    const T* data = tensor.data_ptr<T>();
    return {data, data + tensor.numel()};
}

// The largest distance between n values of the two, in ULP.
std::int64_t randn_distance(TorchGenerator& g, at::Generator& theirs, std::size_t n) {
    std::vector<float> values(n);
    randn(g, values);
    const std::vector<float> expected = values_of<float>(at::randn({static_cast<std::int64_t>(n)}, theirs));
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
        largest = std::max(largest, test::ulp_distance(values[i], expected[i]));
    }
    return largest;
}

std::vector<std::int64_t> libtorch_randint(at::Generator& g, std::int64_t high, std::size_t n) {
    return values_of<std::int64_t>(at::randint(high, {static_cast<std::int64_t>(n)}, g, at::kLong));
}

TEST_CASE("torch random: randn of fewer than 16 values is LibTorch's to the bit") {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const std::uint64_t spread = seed * 0x9e3779b97f4a7c15;  // seeds of all 64 bits
        TorchGenerator g = torch_seeded(spread);
        at::Generator theirs = libtorch_seeded(spread);
        for (std::size_t n = 1; n < 16; ++n) {
            CAPTURE(spread, n);
            REQUIRE(randn_distance(g, theirs, n) == 0);
        }
    }
}

TEST_CASE("torch random: randn from 16 values on is within 4 ULP of LibTorch's") {
    const std::string config = at::show_config();
    if (config.find("CPU capability usage: AVX") == std::string::npos) {
        SKIP("LibTorch does not take its AVX2 path on this CPU");
    }
    std::int64_t largest = 0;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        TorchGenerator g = torch_seeded(seed);
        at::Generator theirs = libtorch_seeded(seed);
        for (const std::size_t n : {16, 17, 31, 32, 33, 100, 270, 1234}) {
            const std::int64_t distance = randn_distance(g, theirs, n);
            CAPTURE(seed, n);
            REQUIRE(distance <= 4);
            largest = std::max(largest, distance);
        }
    }
    CHECK(largest > 0);  // the two use different algorithms, so no difference at all would mean a broken comparison
    WARN("largest distance: " << largest << " ULP");
}

TEST_CASE("torch random: randint is LibTorch's") {
    for (const std::int64_t high : {1ll, 2ll, 3ll, 27ll, 1000ll, 182625ll, 99999989ll, (1ll << 28) - 1}) {
        for (const std::uint64_t seed : {0ull, 42ull, 2147483647ull, 0xfedcba9876543210ull}) {
            TorchGenerator g = torch_seeded(seed);
            at::Generator theirs = libtorch_seeded(seed);
            for (const std::size_t n : {1, 7, 1300}) {
                std::vector<std::int64_t> values(n);
                randint(g, static_cast<std::uint64_t>(high), values);
                CAPTURE(high, seed, n);
                REQUIRE(values == libtorch_randint(theirs, high, n));
            }
        }
    }
}

TEST_CASE("torch random: multinomial of one draw is LibTorch's") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        for (const std::int64_t n : {1, 2, 27, 301}) {
            TorchGenerator g = torch_seeded(seed);
            at::Generator theirs = libtorch_seeded(seed);
            at::Tensor weights = at::rand({n}, theirs);
            for (std::int64_t i = 0; i < n; ++i) {
                g.bits();  // rand consumes one draw per value
            }
            weights = weights * weights * weights;
            if (n > 2) {
                weights[1] = 0;
            }
            for (int i = 0; i < 25; ++i) {
                CAPTURE(seed, n, i);
                const auto expected = at::multinomial(weights, 1, false, theirs).item<std::int64_t>();
                REQUIRE(multinomial(g, values_of<float>(weights)) == static_cast<std::size_t>(expected));
            }
        }
    }
}

TEST_CASE("torch random: calls of every kind follow each other as in LibTorch") {
    const at::Tensor weights = at::tensor({0.1f, 0.0f, 2.5f, 0.7f, 1e-3f});
    const std::vector<float> by_hand = values_of<float>(weights);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        TorchGenerator g = torch_seeded(seed), plan = torch_seeded(seed + 1000);
        at::Generator theirs = libtorch_seeded(seed);
        for (int call = 0; call < 200; ++call) {
            std::vector<std::int64_t> kind_and_size(2);
            randint(plan, 40, kind_and_size);
            const auto n = static_cast<std::size_t>(kind_and_size[1]) + 1;
            CAPTURE(seed, call, n);
            switch (kind_and_size[0] % 3) {
                case 0:
                    REQUIRE(randn_distance(g, theirs, n) <= (n < 16 ? 0 : 4));
                    break;
                case 1: {
                    std::vector<std::int64_t> values(n);
                    randint(g, 182625, values);
                    REQUIRE(values == libtorch_randint(theirs, 182625, n));
                    break;
                }
                default:
                    REQUIRE(multinomial(g, by_hand) ==
                            static_cast<std::size_t>(at::multinomial(weights, 1, false, theirs).item<std::int64_t>()));
            }
        }
    }
}

}  // namespace
}  // namespace byhand
