#include "train/losses.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "train/fake_model.h"

using namespace byhand;
using Catch::Matchers::WithinRel;
using test::FakeModel;

namespace {

double loss_of(const std::vector<float>& logits, std::vector<std::uint32_t> targets) {
    FakeModel model;
    model.logits_of = [&](std::span<const std::int64_t>) { return logits; };
    targets.insert(targets.begin(), 0);
    return mean_loss(model, {1, targets}, logits.size());
}

}  // namespace

TEST_CASE("loss: equal logits cost the logarithm of their number") {
    CHECK_THAT(loss_of({0, 0, 0}, {1}), WithinRel(std::log(3.0), 1e-15));
    CHECK_THAT(loss_of({-7, -7, -7, -7, -7}, {0, 4}), WithinRel(std::log(5.0), 1e-15));
    CHECK(loss_of({123}, {0}) == 0.0);
}

TEST_CASE("loss: worked out by hand") {
    // Probabilities 1/6, 2/6, 3/6: the losses are ln 6, ln 3, ln 2.
    const std::vector<float> logits = {0, std::log(2.0F), std::log(3.0F)};
    CHECK_THAT(loss_of(logits, {0}), WithinRel(std::log(6.0), 1e-7));
    CHECK_THAT(loss_of(logits, {1}), WithinRel(std::log(3.0), 1e-7));
    CHECK_THAT(loss_of(logits, {2}), WithinRel(std::log(2.0), 1e-7));
    CHECK_THAT(loss_of(logits, {0, 1, 2}), WithinRel(std::log(36.0) / 3, 1e-7));
    CHECK_THAT(loss_of(logits, {2, 2, 2, 0}), WithinRel((3 * std::log(2.0) + std::log(6.0)) / 4, 1e-7));
}

TEST_CASE("loss: logits of any size") {
    CHECK(loss_of({1000, 0, -1000}, {0}) == 0.0);
    CHECK(loss_of({1000, 0, -1000}, {1}) == 1000.0);
    CHECK(loss_of({1000, 0, -1000}, {2}) == 2000.0);
    CHECK(loss_of({3e38F, -3e38F}, {1}) == static_cast<double>(3e38F) * 2);
    CHECK_THAT(loss_of({-1000, -1000}, {0}), WithinRel(std::log(2.0), 1e-12));
}

TEST_CASE("loss: each target is compared with the logits of its own context") {
    FakeModel model;
    model.context = 2;
    // The logit of class c is 0 if c is the sum of the context, and far below otherwise.
    model.logits_of = [](std::span<const std::int64_t> context) {
        std::vector<float> logits(4, -50.0F);
        logits[static_cast<std::size_t>(context[0] + context[1])] = 0;
        return logits;
    };
    CHECK(mean_loss(model, {2, {0, 1, 1, 2, 3}}, 4) < 1e-20);
    CHECK_THAT(mean_loss(model, {2, {0, 1, 1, 2, 0}}, 4), WithinRel(50.0 / 3, 1e-12));
}

TEST_CASE("loss: examples in several blocks are all counted, once") {
    constexpr std::size_t kCharacters = 11, kSize = 2 * 4096 + 5;
    FakeModel model;
    model.logits_of = [](std::span<const std::int64_t> context) {
        std::vector<float> logits(kCharacters);
        logits[0] = static_cast<float>(context[0]);
        return logits;
    };
    Examples examples{1, {0}};
    double expected = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
        const std::uint32_t before = examples.text.back();
        examples.text.push_back((before + 1) % kCharacters);
        expected += std::log(std::exp(static_cast<double>(before)) + kCharacters - 1) -
                    (examples.text.back() == 0 ? static_cast<double>(before) : 0);
    }
    CHECK_THAT(mean_loss(model, examples, kCharacters), WithinRel(expected / kSize, 1e-12));
    REQUIRE(model.asked.size() > 1);
    std::vector<std::int64_t> asked;
    for (const std::vector<std::int64_t>& X : model.asked) {
        asked.insert(asked.end(), X.begin(), X.end());
    }
    CHECK(asked == examples.all().X);
}

TEST_CASE("loss: that of names is that of their examples, in the same blocks") {
    std::vector<std::u32string> texts = {U"ab", U""};
    for (std::size_t i = 0; i < 3000; ++i) {
        texts.emplace_back(i % 7, i % 3 == 0 ? U'a' : U'c');
    }
    texts.emplace_back(9000, U'b');  // fills two blocks on its own
    const Names names(texts.begin(), texts.end());
    const Vocabulary vocabulary = vocabulary_of(names);
    const auto model_of = [&] {
        FakeModel model;
        model.context = 3;
        model.logits_of = [&](std::span<const std::int64_t> context) {
            return std::vector<float>{0.1F, static_cast<float>(context[0]), static_cast<float>(context[2]), -0.3F};
        };
        return model;
    };
    FakeModel by_examples = model_of(), by_names = model_of();
    const double expected = mean_loss(by_examples, examples_of(names, vocabulary, 3), vocabulary.size());
    CHECK(mean_loss(by_names, names, vocabulary, 3) == expected);
    REQUIRE(by_examples.asked.size() > 3);
    CHECK(by_names.asked == by_examples.asked);
    CHECK(std::isnan(mean_loss(by_names, {}, vocabulary, 3)));
}

TEST_CASE("loss: NaN without examples, and a NaN is preserved") {
    FakeModel model;
    CHECK(std::isnan(mean_loss(model, Examples{.context = 1}, 3)));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(loss_of({nan, 1, 2}, {0})));
    CHECK(std::isnan(loss_of({nan, 1, 2}, {1})));
    CHECK(std::isnan(loss_of({1, 2, nan}, {1})));
    CHECK(std::isnan(loss_of({std::numeric_limits<float>::infinity(), 1}, {1})));
}
