// Initial values compared with PyTorch 1.13.0a0, CPU capability AVX2, by
//   def show(name, t):
//       f = t.flatten(); d = f.double()
//       print(name, [float(x) for x in f[:3]], float(f[-1]), float(d.sum()), float((d * d).sum()))
// over the tensors of the runs as quoted in each test, all drawn from
//   g = torch.Generator().manual_seed(2147483647)
#include <algorithm>
#include <array>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.h"
#include "recipe/sample.h"
#include "recipe/shipped.h"

using namespace byhand;
using byhand::test::constant;
using byhand::test::shipped;
using Catch::Approx;

namespace {

struct Golden {
    const char* name;
    float first[3];
    float last;
    double sum, squares;
};

void check(const Tensors<float>& tensors, const std::vector<Golden>& goldens) {
    for (const Golden& golden : goldens) {
        CAPTURE(golden.name);
        const auto values = tensors[golden.name];
        // 4 ULP of the draw and one rounding for each operation after it.
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(values[i] == Approx(golden.first[i]).epsilon(1e-6).margin(0));
        }
        CHECK(values.back() == Approx(golden.last).epsilon(1e-6).margin(0));
        double sum = 0, squares = 0, sizes = 0;
        for (const double value : values) {
            sum += value;
            squares += value * value;
            sizes += std::abs(value);
        }
        CHECK(std::abs(sum - golden.sum) <= 1e-7 * sizes);
        CHECK(squares == Approx(golden.squares).epsilon(1e-6).margin(0));
    }
}

std::string refusal(const Recipe& recipe) {
    TorchGenerator g = torch_seeded(1);
    const TorchGenerator before = g;
    try {
        initial_state(recipe, g);
    } catch (const InputError& error) {
        CHECK(g == before);
        return error.what();
    }
    return "";
}

// Two hidden layers with every kind of parameter.
Recipe two_layers() {
    Recipe recipe;
    recipe.name = "two";
    recipe.network.vocabulary = 5;
    recipe.network.context = 2;
    recipe.network.embedding = 3;
    test::set(recipe.network, &ShortForm::hidden, {7, 1});
    test::set(recipe.network, &ShortForm::output_norm, true);
    recipe.initial = {
        constant("C", 1),     constant("W", 2, LayerSet::hidden),      constant("W", 3, LayerSet::output),
        constant("b", 4),     constant("bngain", 5, LayerSet::hidden), constant("bngain", 6, LayerSet::output),
        constant("bnbias", 7)};
    return recipe;
}

}  // namespace

TEST_CASE("initial: makemore-bn has the values of the published run") {
    // C = torch.randn((27, 10), generator=g); W1 = torch.randn((30, 200), generator=g) * (5/3) / 30**0.5
    // W2 = torch.randn((200, 27), generator=g) * 0.01; b2 = torch.randn(27, generator=g) * 0
    const Recipe recipe = shipped("makemore-bn");
    TorchGenerator g = torch_seeded(recipe.seed);
    const Tensors<float> tensors = initial_state(recipe, g);
    check(tensors,
          {{"C", {1.56736195F, -0.23729232F, -0.0273846053F}, 0.384485275F, -5.21251496, 269.49018},
           {"W1", {-0.356232882F, 0.0218898542F, -0.56270951F}, -0.216984957F, 23.506139, 579.243431},
           {"W2", {-0.0207046364F, -0.00985963084F, 0.000321225671F}, -0.00424360018F, -0.110492228, 0.539687481}});
    // Drawn, so that the sign of each draw is kept.
    for (const float value : tensors["b2"]) {
        CHECK(value == 0);
    }
    CHECK_FALSE(std::signbit(tensors["b2"][0]));
    CHECK(std::signbit(tensors["b2"][1]));
    CHECK(std::signbit(tensors["b2"][2]));
    for (std::size_t i = 0; i < 200; ++i) {
        CHECK(tensors["bngain"][i] == 1);
        CHECK(tensors["bnbias"][i] == 0);
        CHECK(tensors["bnmean_running"][i] == 0);
        CHECK(tensors["bnvar_running"][i] == 1);
    }
}

TEST_CASE("initial: makemore-deep has the values of the published run") {
    // C = torch.randn((27, 10), generator=g), then torch.randn((i, o), generator=g) / i**0.5 for each linear
    const Recipe recipe = shipped("makemore-deep");
    TorchGenerator g = torch_seeded(recipe.seed);
    const Tensors<float> tensors = initial_state(recipe, g);
    check(tensors, {{"C", {1.56736195F, -0.23729232F, -0.0273846053F}, 0.384485275F, -5.21251496, 269.49018},
                    {"W1", {-0.213739738F, 0.0131339123F, -0.337625712F}, -0.0795322433F, 11.8352323, 105.051283},
                    {"W2", {0.0480508655F, 0.19730103F, -0.0726766735F}, -0.154710665F, -5.45630015, 99.3386427},
                    {"W3", {0.0624203011F, -0.0894681141F, 0.0866352767F}, 0.150608093F, 4.37072942, 101.457964},
                    {"W4", {-0.100998268F, -0.0637527779F, 0.163635507F}, 0.0241173245F, 20.8815609, 100.652291},
                    {"W5", {-0.0442337729F, -0.0276309848F, 0.0501779094F}, -0.118438564F, -3.83595773, 100.805436},
                    {"W6", {-0.0200012587F, 0.131131575F, -0.0287007987F}, -0.0324957259F, -0.384430663, 26.383766}});
    CHECK(tensors["bngain.5"][99] == 1);
    CHECK(tensors["bngain.6"][0] == 0.1F);
    CHECK(tensors["bnbias.6"][26] == 0);
}

TEST_CASE("initial: makemore-ninja has the values of the published exercise, with 64 units") {
    // C = torch.randn((27, 10), generator=g); W1 = torch.randn((30, 64), generator=g) * (5/3) / 30**0.5
    // b1 = torch.randn(64, generator=g) * 0.1; W2 = torch.randn((64, 27), generator=g) * 0.1
    // b2 = torch.randn(27, generator=g) * 0.1; bngain = torch.randn(64, generator=g) * 0.1 + 1.0
    // bnbias = torch.randn(64, generator=g) * 0.1
    Recipe recipe = shipped("makemore-ninja");
    test::set(recipe.network, &ShortForm::hidden, {64});
    TorchGenerator g = torch_seeded(recipe.seed);
    check(initial_state(recipe, g),
          {{"C", {1.56736195F, -0.23729232F, -0.0273846053F}, 0.384485275F, -5.21251496, 269.49018},
           {"W1", {-0.356232882F, 0.0218898542F, -0.56270951F}, -0.390841931F, 27.7557443, 179.137091},
           {"b1", {0.00256906566F, -0.151455507F, 0.0271405708F}, 0.128911793F, -0.179752995, 0.620090815},
           {"W2", {0.102631845F, 0.0328594185F, 0.0268911924F}, 0.178619489F, 0.702440604, 18.4157401},
           {"b2", {0.0774586052F, -0.126006499F, 0.00562898163F}, -0.159713998F, -0.424663891, 0.264263442},
           {"bngain", {0.889867842F, 0.987973511F, 0.931724072F}, 0.992908895F, 64.6759755, 65.9239909},
           {"bnbias", {-0.0136449235F, -0.0613949597F, 0.0696372986F}, 0.0361233726F, 0.9310966, 0.673440728}});
}

TEST_CASE("initial: each operation on a draw is rounded to float, in PyTorch's order") {
    Recipe recipe = two_layers();
    recipe.initial[1] = {"W", LayerSet::hidden, 5.0 / 3, true, 0.1};
    TorchGenerator g = torch_seeded(77), same = torch_seeded(77);
    const Tensors<float> tensors = initial_state(recipe, g);
    std::vector<float> draws(42);
    randn(same, draws);
    const float root = std::sqrt(6.0F);  // fan-in: context 2 by embedding 3
    for (std::size_t i = 0; i < draws.size(); ++i) {
        const float scaled = draws[i] * static_cast<float>(5.0 / 3);
        const float divided = scaled / root;
        CHECK(tensors["W1"][i] == divided + 0.1F);
    }
    std::vector<float> seven(7);
    randn(same, seven);  // W2 is (7, 1)
    CHECK(tensors["W2"][6] == seven[6] * static_cast<float>(5.0 / 3) / std::sqrt(7.0F) + 0.1F);
    CHECK(g == same);
}

TEST_CASE("initial: a rule applies only to its layers, and to the parameters they have") {
    Recipe recipe = two_layers();
    TorchGenerator g = torch_seeded(1);
    const auto begun = [&](const std::string& name) {
        const Tensors<float> tensors = initial_state(recipe, g);
        const auto values = tensors[name];
        for (const float value : values) {
            CHECK(value == values[0]);
        }
        return values[0];
    };
    CHECK(begun("C") == 1);
    CHECK(begun("W1") == 2);
    CHECK(begun("W2") == 2);
    CHECK(begun("W3") == 3);
    CHECK(begun("b1") == 4);
    CHECK(begun("b3") == 4);
    CHECK(begun("bngain.2") == 5);
    CHECK(begun("bngain.3") == 6);
    CHECK(begun("bnbias.1") == 7);
    CHECK(begun("bnmean_running.1") == 0);  // no rule
    CHECK(begun("bnvar_running.3") == 1);

    recipe.initial.push_back(constant("bnmean_running", 8, LayerSet::output));
    recipe.initial.push_back(constant("bnvar_running", 9));
    CHECK(begun("bnmean_running.1") == 0);
    CHECK(begun("bnmean_running.3") == 8);
    CHECK(begun("bnvar_running.2") == 9);

    test::set(recipe.network, &ShortForm::output_norm,
              false);  // the rule for the output's gain then applies to nothing
    test::set(recipe.network, &ShortForm::hidden, {7});
    CHECK(begun("bngain") == 5);
    CHECK(begun("bnmean_running") == 0);
    recipe.network.norm.affine = false;
    CHECK(begun("bnvar_running") == 9);
    test::set(recipe.network, &ShortForm::norm_place, "none");
    test::set(recipe.network, &ShortForm::hidden_bias, false);
    CHECK(begun("b2") == 4);
}

TEST_CASE("initial: a parameter without a rule, and a tensor with two, are refused before anything is drawn") {
    for (const auto& [rule, name] : {std::pair<std::size_t, const char*>{0, "C"},
                                     {1, "W1"},
                                     {2, "W3"},
                                     {3, "b1"},
                                     {4, "bngain.1"},
                                     {5, "bngain.3"},
                                     {6, "bnbias.1"}}) {
        Recipe recipe = two_layers();
        recipe.initial.erase(recipe.initial.begin() + static_cast<std::ptrdiff_t>(rule));
        CHECK(refusal(recipe) == "recipe two: initial.rules: no rule initializes " + std::string(name) + "; add one");
    }
    Recipe recipe = two_layers();
    recipe.initial.push_back(constant("bngain", 1));
    CHECK(refusal(recipe) == "recipe two: initial.rules[7]: bngain.1 already has rule [4]; keep one of the two");
    recipe.initial.back() = constant("C", 1);
    CHECK(refusal(recipe) == "recipe two: initial.rules[7]: C already has rule [0]; keep one of the two");
    recipe.initial.back() = constant("bnvar_running", 1);
    CHECK(refusal(recipe).empty());
    recipe.initial.push_back(constant("bnvar_running", 1, LayerSet::output));
    CHECK(refusal(recipe) == "recipe two: initial.rules[8]: bnvar_running.3 already has rule [7]; keep one of the two");
}

TEST_CASE("initial: optimizer state is 0, and draws nothing") {
    Recipe recipe = two_layers();
    TorchGenerator plain = torch_seeded(3), other = torch_seeded(3);
    initial_state(recipe, plain);
    recipe.network.optimizer.kind = OptimizerKind::adamw;
    const Tensors<float> state = initial_state(recipe, other);
    for (const TensorSpec& spec : optimizer_state(recipe.network)) {
        INFO(spec.name);
        CHECK(std::ranges::count(state[spec.name], 0.0F) == static_cast<std::ptrdiff_t>(state[spec.name].size()));
    }
    std::array<float, 3> next{}, next_of_other{};
    randn(plain, next);
    randn(other, next_of_other);
    CHECK(next == next_of_other);
}

// 0.01 + (0.1 − 0.01)·t/4 up to step 4, then, with PyTorch's formula of CosineAnnealingLR, T_max = 8 and η_min = 0.001,
// 0.001 + (0.1 − 0.001)·(1 + cos(π·(t − 4)/8))/2: after one step of it cos(π/8) = 0.9238795325112867.
TEST_CASE("rates: a warm-up followed by a cosine has PyTorch's values") {
    Recipe recipe;
    recipe.rates = {{0, 0.01, RateThen::linear}, {4, 0.1, RateThen::cosine}, {12, 0.001}};
    for (const auto& [step, rate] : {std::pair<std::size_t, double>{0, 0.01},
                                     {1, 0.0325},
                                     {3, 0.0775},
                                     {4, 0.1},
                                     {5, 0.0962320368593087},
                                     {8, 0.0505},
                                     {11, 0.004767963140691307},
                                     {12, 0.001},
                                     {1000, 0.001}}) {
        CAPTURE(step);
        CHECK(std::abs(rate_at(recipe, step) - rate) < 1e-15);
    }
}
