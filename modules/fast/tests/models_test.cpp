// The handwritten networks behind the interfaces of the trainer and of the comparison.
#include "fast/models.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "base/change_network.h"
#include "base/error.h"
#include "base/same_bytes.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/plain.h"

using namespace byhand;

namespace {

constexpr HandForm kForms[] = {HandForm::stepwise, HandForm::collapsed, HandForm::fused};

// No value is shifted before a norm subtracts the mean: every gradient is significant.
NetworkConfig deep() {
    NetworkConfig config = networks::small({17, 5});
    test::set(config, &ShortForm::norm_place, "after");
    return config;
}

}  // namespace

TEST_CASE("models: forms have their names, and no other") {
    CHECK(hand_form("stepwise") == HandForm::stepwise);
    CHECK(hand_form("collapsed") == HandForm::collapsed);
    CHECK(hand_form("fused") == HandForm::fused);
    CHECK_THROWS_AS(hand_form("torch"), std::invalid_argument);
    CHECK_THROWS_AS(hand_form(""), std::invalid_argument);
    CHECK_THROWS_AS(make_hand_model(HandForm::fused, deep(), 4, {.keep = Keep::all, .dtype = DType::float64}),
                    std::invalid_argument);
}

TEST_CASE("models: an invalid network is refused by every form") {
    NetworkConfig no_width = deep();
    hidden_linears(no_width).back()->outputs = 0;
    for (const HandForm form : kForms) {
        CHECK_THROWS_AS(make_hand_model(form, no_width, 4), InputError);
        CHECK_THROWS_AS(make_hand_model(form, deep(), 1), InputError);  // divides by n − 1
        CHECK_THROWS_AS(make_hand_model(form, deep(), 0), InputError);
    }
}

TEST_CASE("models: state() returns the loaded state, to the bit") {
    const networks::Example example = networks::make(deep(), 9);
    for (const HandForm form : kForms) {
        const auto model = make_hand_model(form, example.config, 9);
        model->load(example.state);
        CHECK(test::first_different(model->save(), example.state) == "");
    }
}

TEST_CASE("models: a training step equals the implementation's, with every new value in place of the old one") {
    const networks::Example first = networks::make(deep(), 9), second = networks::make(deep(), 9, 8);
    for (const HandForm form : kForms) {
        INFO("form " << static_cast<int>(form));
        const auto model = make_hand_model(form, first.config, 9);
        const auto implementation = make_hand_model(form, first.config, 9, {.keep = Keep::all});
        model->load(first.state);
        Tensors<float> state = first.state;
        for (const networks::Example* batch : {&first, &second, &first}) {
            const float loss = model->train_step(batch->batch(), 0.2F);
            implementation->load(state);
            implementation->run(batch->batch(), 0.2F);
            const std::vector<View> views = implementation->views();
            CHECK(static_cast<double>(loss) == value_at(*find(views, "loss"), 0));
            const std::vector<View> before = first.state.views(), now = state.views();
            for (std::size_t i = 0; i < now.size(); ++i) {
                INFO(now[i].name);
                const View* updated = find(views, "new_" + now[i].name);
                REQUIRE(updated != nullptr);
                CHECK(!test::same_bytes(*updated, before[i]));
                std::memcpy(state[now[i].name].data(), updated->data, state[now[i].name].size_bytes());
            }
            CHECK(test::first_different(model->save(), state) == "");
        }
    }
}

TEST_CASE("models: the same step yields the same bytes, repeated or in another object") {
    const networks::Example first = networks::make(deep(), 33), second = networks::make(deep(), 33, 8);
    for (const HandForm form : kForms) {
        for (const DType dtype : {DType::float32, DType::float64}) {
            if (form == HandForm::fused && dtype == DType::float64) {
                continue;
            }
            INFO("form " << static_cast<int>(form));
            const auto once = make_hand_model(form, first.config, 33, {.keep = Keep::all, .dtype = dtype});
            const auto again = make_hand_model(form, first.config, 33, {.keep = Keep::all, .dtype = dtype});
            again->load(second.state);  // earlier steps leave no trace
            again->run(second.batch(), 0.7F);
            for (const auto& implementation : {once.get(), again.get()}) {
                implementation->load(first.state);
                implementation->run(first.batch(), 0.3F);
            }
            const std::vector<View> a = once->views(), b = again->views();
            REQUIRE(a.size() == b.size());
            for (std::size_t i = 0; i < a.size(); ++i) {
                INFO(a[i].name);
                CHECK(a[i].name == b[i].name);
                CHECK(test::same_bytes(a[i], b[i]));
            }
        }
    }
}

TEST_CASE(
    "models: an implementation exposes state, values, gradients and new values once each, all written until it is "
    "loaded") {
    const networks::Example example = networks::make(deep(), 9);
    for (const HandForm form : kForms) {
        const auto implementation = make_hand_model(form, example.config, 9, {.keep = Keep::all});
        implementation->load(example.state);
        implementation->run(example.batch(), 0.3F);
        const std::vector<View> views = implementation->views();
        CHECK(find(views, "rate") == nullptr);
        for (std::size_t i = 0; i < views.size(); ++i) {
            INFO(views[i].name);
            CHECK(find(views, views[i].name) == &views[i]);
            for (std::size_t e = 0; e < count(views[i].shape); ++e) {
                REQUIRE(!is_unwritten(static_cast<const float*>(views[i].data) + e));
            }
        }
        implementation->load(example.state);  // clears them
        for (const char* name : {"loss", "dC", "dW1", "new_C", "new_bnvar_running.2"}) {
            INFO(name);
            const std::vector<View> cleared = implementation->views();
            CHECK(is_unwritten(static_cast<const float*>(find(cleared, name)->data)));
        }
    }
}

TEST_CASE("models: evaluation uses the trained and calibrated state, and does not affect training") {
    const networks::Example example = networks::make(deep(), 9);
    for (const HandForm form : kForms) {
        INFO("form " << static_cast<int>(form));
        const auto model = make_hand_model(form, example.config, 9),
                   undisturbed = make_hand_model(form, example.config, 9);
        model->load(example.state);
        undisturbed->load(example.state);
        std::vector<float> logits(example.rows * 7), before(example.rows * 7);
        model->logits(before, example.X);
        model->train_step(example.batch(), 0.3F);
        undisturbed->train_step(example.batch(), 0.3F);
        model->logits(logits, example.X);
        CHECK(logits != before);

        plain::State state = plain::copy(model->save());
        const plain::Values expected = plain::logits(example.config, state, example.X, plain::Mode::evaluation);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            CHECK(std::fabs(static_cast<double>(logits[i]) - expected[i]) <= 1e-5 * (1 + std::fabs(expected[i])));
        }

        // A step after evaluation equals one without it.
        CHECK(model->train_step(example.batch(), 0.3F) == undisturbed->train_step(example.batch(), 0.3F));

        plain::State calibrated = plain::copy(model->save());
        plain::logits(example.config, calibrated, example.X, plain::Mode::calibration);
        model->calibrate(example.X);
        const Tensors<float> saved = model->save();
        for (const TensorSpec& spec : saved.table()) {
            INFO(spec.name);
            for (std::size_t i = 0; i < saved[spec.name].size(); ++i) {
                const double value = calibrated.at(spec.name)[i];
                CHECK(std::fabs(static_cast<double>(saved[spec.name][i]) - value) <= 1e-5 * (1 + std::fabs(value)));
            }
        }
    }
}
