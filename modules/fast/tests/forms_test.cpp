// The three forms compute the same: collapsed and fused against stepwise in double, each number within the possible
// effect of rounding (rounding.h).
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "base/same_bytes.h"
#include "fast/fused.h"
#include "fast/models.h"
#include "manual/rounding.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

constexpr float kRate = 0.37F;

std::vector<View> run(Model& implementation, const networks::Example& example) {
    implementation.load(example.state);
    implementation.run(example.batch(), kRate);
    return implementation.views();
}

// A single row is its own mean: its backward divides 0 by 0, unless ε is inside the root. Two rows without an ε are
// normalised to the same values for any input, so that earlier gradients are only rounding errors.
bool says_something(const NetworkConfig& config, std::size_t rows) {
    const NormConfig& norm = config.norm;
    return running_figures(config).empty() || rows > 2 ||
           (norm.epsilon > 0 && (rows == 2 || norm.epsilon_place == EpsilonPlace::inside));
}

bool needs_two_rows(const NetworkConfig& config) {
    const NormConfig& norm = config.norm;
    return !running_figures(config).empty() &&
           (norm.batch_divisor == Divisor::n_minus_1 || norm.running_divisor == Divisor::n_minus_1);
}

constexpr std::size_t kEmbeddings[] = {2, 1, 5, 50, 17};

// Calls visit(example) for every convention of the norm with every number of rows, from so few that no two need share a
// character to so many that fused computes by character; shapes and biases alternate.
template <class Visit>
void for_each_example(const std::vector<std::vector<std::size_t>>& shapes, Visit visit) {
    std::size_t number = 0;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::size_t rows : {1, 2, 7, 33, 51}) {
            NetworkConfig config = networks::small(shapes[number % shapes.size()], 11);
            if (rows > 2) {  // two equal rows leave nothing
                config.context = 1 + number % 4;
                config.embedding = kEmbeddings[number % std::size(kEmbeddings)];
            }
            networks::put(config, norm);
            config.norm.running_divisor = rows == 1 ? norm.batch_divisor : norm.running_divisor;
            test::set(config, &ShortForm::hidden_bias, number % 4 < 2);
            test::set(config, &ShortForm::output_bias, number % 7 < 4);
            ++number;
            INFO(networks::describe(config, rows));
            if (rows == 1 && needs_two_rows(config)) {
                CHECK_THROWS_AS(make_hand_model(HandForm::fused, config, rows, {.keep = Keep::all}), InputError);
            } else if (says_something(config, rows)) {
                visit(networks::make(config, rows, static_cast<unsigned>(number)));
            }
        }
    }
}

const std::vector<std::vector<std::size_t>> kShapes = {{1}, {17}, {33, 100}, {5, 1, 17, 33}, {100}, {7, 3, 2}, {33}};

}  // namespace

TEST_CASE("all forms: equal stepwise in double, in double and in float, for every convention") {
    struct Precision {
        DType dtype;
        double unit;
        std::vector<HandForm> forms;
    };
    for (const auto& [dtype, unit, forms] :
         {Precision{DType::float64, rounding::kUnit<double>, {HandForm::collapsed}},
          {DType::float32, rounding::kUnit<float>, {HandForm::fused, HandForm::stepwise, HandForm::collapsed}}}) {
        double worst = 0;
        for_each_example(kShapes, [&](const networks::Example& example) {
            const std::size_t m = rounding::longest_sum(example.config, example.rows);
            const rounding::Values known =
                rounding::values(stepwise_graph(example.config, example.rows), example, kRate, unit);
            for (const HandForm form : forms) {
                INFO("form " << static_cast<int>(form));
                const auto implementation =
                    make_hand_model(form, example.config, example.rows, {.keep = Keep::all, .dtype = dtype});
                worst = std::max(worst, rounding::check(run(*implementation, example), known, m, unit));
            }
        });
        CAPTURE(worst);
        CHECK(worst > 0.01);  // else the limits are too wide
    }
}

TEST_CASE("all forms: the smallest network, where every extent is 1 except for two characters") {
    NetworkConfig config = networks::small({1}, 2);
    config.context = 1;
    config.embedding = 1;
    test::set(config, &ShortForm::norm_place, "none");
    const networks::Example example = networks::make(config, 1);
    const rounding::Values known = rounding::values(stepwise_graph(config, 1), example, kRate, rounding::kUnit<float>);
    for (const HandForm form : {HandForm::fused, HandForm::stepwise, HandForm::collapsed}) {
        rounding::check(run(*make_hand_model(form, config, 1, {.keep = Keep::all}), example), known, 2,
                        rounding::kUnit<float>);
    }
}

TEST_CASE("fused: keeps all parameters, their gradients, the new state and the loss") {
    for (const networks::PlacedNorm& norm : networks::norms()) {
        NetworkConfig config = networks::small({5, 3});
        networks::put(config, norm);
        const auto implementation = make_hand_model(HandForm::fused, config, 7, {.keep = Keep::all});
        const std::vector<View> views = run(*implementation, networks::make(config, 7));
        INFO(networks::describe(config, 7));
        for (const TensorSpec& spec : parameters(config)) {
            INFO(spec.name);
            CHECK(find(views, "d" + spec.name) != nullptr);
        }
        for (const TensorSpec& spec : state(config)) {
            INFO(spec.name);
            CHECK(find(views, spec.name) != nullptr);
            CHECK(find(views, "new_" + spec.name) != nullptr);
        }
        CHECK(find(views, "loss") != nullptr);
        CHECK(find(views, "logits") != nullptr);
        for (const View& view : views) {
            INFO(view.name);
            for (std::size_t i = 0; i < count(view.shape); ++i) {
                REQUIRE(!is_unwritten(static_cast<const float*>(view.data) + i));
            }
        }
    }
}

// softmax(80, −80, 0, …): all weights of the logits are 0, so the output's bias is the logits.
TEST_CASE("fused: stays finite and correct for logits of ±80") {
    NetworkConfig config = networks::small({5}, 3);
    test::set(config, &ShortForm::norm_place, "none");
    networks::Example example = networks::make(config, 2);
    std::fill(example.state["W2"].begin(), example.state["W2"].end(), 0.0F);
    example.state["b2"][0] = 80;
    example.state["b2"][1] = -80;
    example.state["b2"][2] = 0;
    example.Y = {1, 2};
    for (const HandForm form : {HandForm::fused, HandForm::collapsed}) {
        const auto implementation = make_hand_model(form, config, 2, {.keep = Keep::all});
        const std::vector<View> views = run(*implementation, example);
        CHECK(value_at(*find(views, "loss"), 0) == (160.0 + 80.0) / 2);  // e^−80 is negligible beside 1
        CHECK(value_at(*find(views, "db2"), 0) == 1);                    // both rows predict 1, and neither target is 0
        CHECK(value_at(*find(views, "db2"), 1) == -0.5);
        CHECK(value_at(*find(views, "db2"), 2) == -0.5);
    }
}

TEST_CASE("loss: a non-finite value in any logit reaches it") {
    const NetworkConfig config = networks::small({5});
    for (const HandForm form : {HandForm::fused, HandForm::stepwise, HandForm::collapsed}) {
        for (std::size_t j = 0; j < config.vocabulary; ++j) {
            INFO("form " << static_cast<int>(form) << ", logit " << j);
            networks::Example example = networks::make(config, 7);
            example.state["b2"][j] = std::numeric_limits<float>::quiet_NaN();
            const auto implementation = make_hand_model(form, config, 7, {.keep = Keep::all});
            const std::vector<View> views = run(*implementation, example);
            CHECK(std::isnan(value_at(*find(views, "loss"), 0)));
        }
    }
}

TEST_CASE("fused: trains to the same bytes whether it keeps all values or only the needed ones") {
    for_each_example({{17}, {50, 3}}, [](const networks::Example& example) {
        std::vector<Tensors<float>> states;
        for (const Keep keep : {Keep::all, Keep::needed}) {
            Fused fused(example.config, example.rows, keep);
            fused.load(example.state);
            for (int step = 0; step < 3; ++step) {
                fused.run(example.batch(), kRate);
                fused.commit();
            }
            states.push_back(fused.state());
        }
        CHECK(test::first_different(states[0], states[1]) == "");
    });
}

// More rows than a task processes, several panels, the last one not full.
TEST_CASE("fused: computes the same bytes on any number of threads") {
    for (const networks::PlacedNorm& norm : networks::norms()) {
        // With the first, fused computes by character; with the second it does not.
        const std::size_t vocabulary = norm.epsilon > 0 ? 53 : 103;
        NetworkConfig config = networks::small({101, 5, 60}, vocabulary);
        config.embedding = 51;
        networks::put(config, norm);
        const networks::Example example = networks::make(config, 301);
        std::vector<Tensors<float>> kept;
        for (const std::size_t threads : {1, 2, 3, 8}) {
            Fused fused(config, example.rows, Keep::all, threads);
            fused.load(example.state);
            for (int step = 0; step < 3; ++step) {
                fused.run(example.batch(), kRate);
                fused.commit();
            }
            fused.run(example.batch(), kRate);
            kept.push_back(fused.kept());
            INFO(networks::describe(config, example.rows) << ", " << threads << " threads");
            CHECK(test::first_different(kept.back(), kept.front()) == "");
        }
    }
}

TEST_CASE("names: fused keeps values and gradients under their names, by character without embcat and dembcat") {
    const auto names_of = [](std::size_t rows) {
        const networks::Example example = networks::make(networks::small({5}), rows);
        const auto implementation = make_hand_model(HandForm::fused, example.config, rows, {.keep = Keep::all});
        std::string names;
        for (const View& view : run(*implementation, example)) {
            names += view.name + ' ';
        }
        return names;
    };
    const std::string state = "C W1 b1 bngain bnbias W2 b2 bnmean_running bnvar_running ",
                      values = "hprebn bnmeani bnvar bnvar_inv bnraw h logits loss ",
                      gradients = "dlogits dW2 db2 dbngain dbnbias dhprebn dW1 db1 ",
                      updates =
                          "dC new_C new_W1 new_b1 new_bngain new_bnbias new_W2 new_b2 new_bnmean_running "
                          "new_bnvar_running ";
    for (const std::size_t rows : {4U, 27U}) {  // less than four for each of 7 characters
        CHECK(names_of(rows) == state + "embcat " + values + gradients + "dembcat " + updates);
    }
    CHECK(names_of(28) == state + values + gradients + updates);
}

TEST_CASE("optimizers: all forms train alike, and resume from a saved state to the bit") {
    NetworkConfig config = networks::small({9, 5});
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.momentum = 0.9}, OptimizerConfig{.weight_decay = 0.02, .momentum = 0.9, .nesterov = true},
          OptimizerConfig{
              .kind = OptimizerKind::adamw, .weight_decay = 0.04, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3}}) {
        config.optimizer = optimizer;
        networks::Example example = networks::make(config, 11);
        for (const TensorSpec& spec : optimizer_state(config)) {
            std::ranges::fill(example.state[spec.name], 0.0F);
        }
        std::vector<float> losses;
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const auto model = make_hand_model(form, config, 11), other = make_hand_model(form, config, 11);
            model->load(example.state);
            float loss = 0;
            for (int step = 0; step < 20; ++step) {
                if (step == 7) {
                    other->load(model->save());
                }
                loss = model->train_step(example.batch(), 0.01F);
                if (step >= 7) {
                    CHECK(other->train_step(example.batch(), 0.01F) == loss);
                }
            }
            CHECK(test::first_different(model->save(), other->save()) == "");
            losses.push_back(loss);
        }
        CHECK(std::abs(losses[1] - losses[0]) < 1e-4F);
        CHECK(std::abs(losses[2] - losses[0]) < 1e-4F);
    }
}
