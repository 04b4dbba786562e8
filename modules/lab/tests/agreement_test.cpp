#include "lab/agreement.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <stdexcept>

using namespace byhand;
using namespace byhand::lab;

TEST_CASE("agreement: what rounding explains agrees, and no more") {
    const std::vector<Rounded> bounds = {Rounded(1.0F) / Rounded(3.0F), Rounded(2.0F)};
    const float third = 1.0F / 3.0F;
    CHECK(all_hold({agreement("x", {third, 2.0F}, bounds, {1.0 / 3, 2.0})}));
    const Agreement off = agreement("x", {third, 2.0F}, bounds, {1.0 / 3 + 1e-6, 2.0});
    CHECK(off.finding.verdict == Verdict::mismatch);
    CHECK(off.finding.used > 1);
    CHECK(off.difference > 0.9e-6);
    // 2 is exact: nothing but itself agrees.
    CHECK_FALSE(all_hold({agreement("x", {third, std::nextafter(2.0F, 3.0F)}, bounds, {1.0 / 3, 2.0})}));
}

TEST_CASE("agreement: without a limit equal numbers agree, others are out of range") {
    for (const double none : {std::nan(""), static_cast<double>(INFINITY)}) {
        const std::vector<Rounded> bounds = {Rounded::off_by(0, none), Rounded(2.0F)};
        CHECK(all_hold({agreement("x", {0.0F, 2.0F}, bounds, {0.0, 2.0})}));
        const Agreement out_of_range = agreement("x", {0.0F, 2.0F}, bounds, {1e-9, 2.0});
        CHECK(out_of_range.finding.used == 0);
        CHECK(out_of_range.difference == 1e-9);
        CHECK_FALSE(all_hold({out_of_range}));
        CHECK(table_of("", {out_of_range}).rows.at(0).back().shown == "out of range");
        const Agreement wrong = agreement("x", {0.0F, 2.0F}, bounds, {1e-9, 2.5});
        CHECK_FALSE(all_hold({wrong}));
        CHECK(table_of("", {wrong}).rows.at(0).back().shown == "DISAGREES");
        CHECK(fails(agreement("x", {0.0F, 2.0F}, bounds, {std::nan(""), 2.0}).finding.verdict));
    }
}

TEST_CASE("agreement: a NaN never agrees, whatever the limit") {
    const std::vector<Rounded> bounds = {Rounded(1.0F)};
    const Agreement off = agreement("x", {std::nanf(""), 1.0F}, {1.0F, 1.0F}, {1.0, 1.5});
    CHECK(fails(off.finding.verdict));
    CHECK(std::isnan(off.difference));  // it stays the largest
    CHECK(table_of("", {off}).rows.at(0).at(2).shown == "nan %");
    CHECK(fails(agreement("x", {1.0F}, bounds, {std::nan("")}).finding.verdict));
    CHECK_THROWS_AS(agreement("x", {1.0F, 2.0F}, bounds, {1.0, 2.0}), std::logic_error);
}
