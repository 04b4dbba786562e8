#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "fast/models.h"
#include "harness/drawn.h"
#include "lab/claims/claims.h"
#include "train/losses.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

namespace {

const Split kNames{{U"ann", U"ben", U"clio", U"dora", U"emmanuel"}, {U"abe", U"fay"}, {U"carolina", U"di", U"ed"}};

Vocabulary vocabulary() {
    return vocabulary_of({U"abcdefghijklmnopqrstuvwxyz"});
}

}  // namespace

TEST_CASE("names divided by their initial") {
    const ShiftedNames names = shifted_names(kNames, vocabulary(), 2, lab::Kind::initial);
    CHECK(names.first == "initials up to c");
    CHECK(names.train.size() == 4 + 4 + 5);   // ann, ben, clio
    CHECK(names.own.size() == 4 + 9);         // abe, carolina
    CHECK(names.other.size() == 4 + 3 + 3);   // fay, di, ed
    CHECK(names.train.all().Y.front() == 1);  // a
}

TEST_CASE("names divided by their length") {
    const ShiftedNames names = shifted_names(kNames, vocabulary(), 2, lab::Kind::length);
    CHECK(names.second == "more than 4 characters");
    CHECK(names.train.size() == 4 + 4 + 5 + 5);
    CHECK(names.own.size() == 4 + 4 + 3 + 3);
    CHECK(names.other.size() == 9);
}

TEST_CASE("losses by one's own figures, and the model as it was") {
    const ShiftedNames names = shifted_names(kNames, vocabulary(), 2, lab::Kind::initial);
    for (const NormPlace place : {NormPlace::before, NormPlace::none}) {
        NetworkConfig config{.vocabulary = 27, .context = 2, .embedding = 3, .hidden = {5}, .norm = {}};
        config.norm.place = place;
        const std::unique_ptr<Model> model = make_hand_model(HandForm::fused, config, 4);
        model->load(drawn_state(config, 5));
        const ShiftLosses losses = shift_losses(*model, names, 27);
        CHECK_THAT(losses.other, WithinAbs(mean_loss(*model, names.other, 27), 0));
        CHECK_THAT(losses.own, WithinAbs(mean_loss(*model, names.own, 27), 0));
        const double by_training = loss_by_figures_of(*model, names.train, names.other, 27);
        model->calibrate(names.other.all().X);
        CHECK_THAT(losses.other_by_own, WithinAbs(mean_loss(*model, names.other, 27), 0));
        model->calibrate(names.train.all().X);
        CHECK_THAT(by_training, WithinAbs(mean_loss(*model, names.other, 27), 0));
        CHECK((losses.other == losses.other_by_own) == (place == NormPlace::none));
        CHECK(std::isnan(loss_by_figures_of(*model, Examples{.context = 2}, names.other, 27)));
    }
}
