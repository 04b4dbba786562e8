#include "train/sampler.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "train/fake_model.h"

using namespace byhand;
using test::FakeModel;

namespace {

const Vocabulary kLetters{U".abc"};

// Always continues with the letter after the last one, and ends after 'c'.
FakeModel alphabet(std::size_t context) {
    FakeModel model;
    model.context = context;
    model.logits_of = [](std::span<const std::int64_t> X) {
        std::vector<float> logits(4, -80.0F);
        logits[static_cast<std::size_t>((X.back() + 1) % 4)] = 80;
        return logits;
    };
    return model;
}

// The same logits for any context.
FakeModel forgetful(std::vector<float> logits) {
    FakeModel model;
    model.logits_of = [logits = std::move(logits)](std::span<const std::int64_t>) { return logits; };
    return model;
}

std::u32string sample(FakeModel& model, const SampleOptions& options = {}, std::uint64_t seed = 5) {
    TorchGenerator generator = torch_seeded(seed);
    return sample_name(model, model.context, kLetters, generator, options);
}

// The share of `names` names whose first drawn character ends the name.
double share_of_ends(const std::vector<float>& logits, double temperature, int names) {
    FakeModel model = forgetful(logits);
    const Vocabulary two{U".a"};
    TorchGenerator generator = torch_seeded(2147483657);
    int ended = 0;
    for (int i = 0; i < names; ++i) {
        ended += sample_name(model, 1, two, generator, {{}, temperature}).empty() ? 1 : 0;
    }
    return static_cast<double>(ended) / names;
}

// Within 5 standard deviations of a binomial share.
bool near(double share, double probability, int names) {
    return std::abs(share - probability) < 5 * std::sqrt(probability * (1 - probability) / names);
}

}  // namespace

TEST_CASE("sampler: a name follows the model, one character after the other") {
    FakeModel model = alphabet(3);
    CHECK(sample(model) == U"abc");
    CHECK(model.asked == std::vector<std::vector<std::int64_t>>{{0, 0, 0}, {0, 0, 1}, {0, 1, 2}, {1, 2, 3}});
}

TEST_CASE("sampler: a prefix is written and advances the context") {
    FakeModel model = alphabet(2);
    CHECK(sample(model, {U"cab", 1}) == U"cabc");
    CHECK(model.asked == std::vector<std::vector<std::int64_t>>{{1, 2}, {2, 3}});
    FakeModel longer = alphabet(5);
    CHECK(sample(longer, {U"b", 1}) == U"bc");
    CHECK(longer.asked == std::vector<std::vector<std::int64_t>>{{0, 0, 0, 0, 2}, {0, 0, 0, 2, 3}});
    FakeModel ended = alphabet(1);
    CHECK(sample(ended, {U"abc", 1}) == U"abc");
}

TEST_CASE("sampler: a name that never ends is cut") {
    FakeModel model = forgetful({-80, 80, 80, 80});
    CHECK(sample(model).size() == kLongestSample);
    CHECK(sample(model, {U"ab", 1}).size() == kLongestSample);
    const std::u32string longest(kLongestSample + 7, U'a');
    CHECK(sample(model, {longest, 1}) == longest);
}

TEST_CASE("sampler: characters have the proportions of softmax") {
    constexpr int kNames = 20'000;
    const float ln3 = std::log(3.0F);
    CHECK(near(share_of_ends({0, ln3}, 1, kNames), 0.25, kNames));
    CHECK(near(share_of_ends({ln3, 0}, 1, kNames), 0.75, kNames));
    CHECK(near(share_of_ends({1000 + ln3, 1000}, 1, kNames), 0.75, kNames));
    CHECK(near(share_of_ends({-1000 + ln3, -1000}, 1, kNames), 0.75, kNames));
}

TEST_CASE("sampler: temperature divides the logits") {
    constexpr int kNames = 20'000;
    const float ln3 = std::log(3.0F);
    CHECK(near(share_of_ends({0, ln3}, 0.5, kNames), 0.1, kNames));                             // 1 : 9
    CHECK(near(share_of_ends({0, ln3}, 2, kNames), 1 / (1 + std::sqrt(3.0)), kNames));          // 1 : √3
    CHECK(near(share_of_ends({0, ln3}, 1000, kNames), 1 / (1 + std::exp(ln3 / 1e3)), kNames));  // nearly equal
    CHECK(share_of_ends({0, 1}, 0.001, 100) == 0.0);
    CHECK(share_of_ends({1, 0}, 0.001, 100) == 1.0);
}

TEST_CASE("sampler: the seed determines the names") {
    FakeModel model = forgetful({0, 1, 1, 1});
    CHECK(sample(model, {}, 5) == sample(model, {}, 5));
    TorchGenerator generator = torch_seeded(5);
    std::vector<std::u32string> names;
    for (int i = 0; i < 4; ++i) {
        names.push_back(sample_name(model, 1, kLetters, generator, {}));
    }
    CHECK(names[0] == sample(model, {}, 5));
    CHECK((names[1] != names[0] || names[2] != names[0] || names[3] != names[0]));
}
