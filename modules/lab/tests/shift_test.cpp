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
    const ShiftedNames names = shifted_names(kNames, vocabulary(), 2);
    CHECK(names.train.size() == 4 + 4 + 5);   // ann, ben, clio
    CHECK(names.own.size() == 4 + 9);         // abe, carolina
    CHECK(names.other.size() == 4 + 3 + 3);   // fay, di, ed
    CHECK(names.train.all().Y.front() == 1);  // a
}
