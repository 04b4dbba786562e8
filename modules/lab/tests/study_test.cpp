#include "lab/study.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "lab/tests/read.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Figures 10·arm + value, and 0.1 more on the second seed.
Study counted() {
    const Study study{.key = "counted",
                      .title = "t",
                      .arms = {"a", "b"},
                      .seeds = 2,
                      .measure = "m",
                      .varied = "x",
                      .values = {1, 2, 4}};
    return filled(study, [&](std::size_t arm, std::size_t value, std::size_t seed) {
        return 10 * static_cast<double>(arm) + study.values[value] + 0.1 * static_cast<double>(seed);
    });
}

}  // namespace

TEST_CASE("a test: three standard errors of the paired differences, to either side") {
    // Differences −1, −2, −3, −2: mean −2, deviation √(2/3), standard error 0.40825.
    const std::vector<double> first = {4, 7, 5, 1}, second = {5, 9, 8, 3};
    const Test test = test_of(first, second, Better::smaller);
    CHECK_THAT(test.difference, WithinAbs(-2, 1e-12));
    CHECK_THAT(test.error, WithinAbs(std::sqrt(2.0 / 3) / 2, 1e-12));
    CHECK(test.outcome == Outcome::holds);
    CHECK(test_of(first, second, Better::larger).outcome == Outcome::does_not_hold);
    CHECK(test_of(second, first, Better::larger).outcome == Outcome::holds);
    // Differences 1, 1, 1, −1, 3: mean 1, standard error √2/√5 = 0.632: not three of them.
    CHECK(test_of({2, 3, 4, 4, 8}, {1, 2, 3, 5, 5}, Better::larger).outcome == Outcome::no_difference);
    // No spread at all: any difference counts, and none is none.
    CHECK(test_of({8, 8}, {1, 1}, Better::larger).outcome == Outcome::holds);
    CHECK(test_of({8, 8}, {8, 8}, Better::larger).outcome == Outcome::no_difference);
    // Nothing to go by.
    CHECK(test_of({8}, {1}, Better::larger).outcome == Outcome::undecided);
    CHECK(test_of({8, kInfinity}, {1, 1}, Better::larger).outcome == Outcome::undecided);
    CHECK(test_of({8, std::nan("")}, {1, 1}, Better::larger).outcome == Outcome::undecided);
    CHECK(words_of(Outcome::no_difference) == "no difference beyond the spread");
}

TEST_CASE("a claim by factors: its logarithms are tested, and the factor that it asks for") {
    Claim claim{.name = "c",
                .subject = "",
                .sentence = "It is smaller",
                .measure = "m",
                .brief = "m",
                .by_factors = true,
                .arms = {"a", "b"},
                .first = {1, 10, 100},
                .second = {3, 31, 290}};
    CHECK(test_of(claim).outcome == Outcome::holds);
    claim.times = 2;
    CHECK(test_of(claim).outcome == Outcome::holds);
    claim.times = 4;
    CHECK(test_of(claim).outcome == Outcome::does_not_hold);
    claim.by_factors = false;  // the plain differences vary too much
    CHECK(test_of(claim).outcome == Outcome::no_difference);
}

TEST_CASE("a study: the seeds of a value, the values of a seed, and a claim on them") {
    const Study study = counted();
    CHECK(study.at(1, 2) == std::vector<double>{14, 14.1});
    CHECK(study.of_seed(0, 1) == std::vector<double>{1.1, 2.1, 4.1});
    const Claim claim = claim_on(study, {.name = "c", .subject = "", .sentence = "", .measure = "", .brief = ""},
                                 [](const std::vector<double>& figures) { return figures.back(); });
    CHECK(claim.first == study.at(0, 2));
    CHECK(claim.second == study.at(1, 2));
    CHECK(claim.arms == study.arms);
}

TEST_CASE("a study in a document: table, plot and JSON have the same figures") {
    Document document{"lab x", "", "", {}, {}, {}, true};
    add(document, {counted()});
    const auto& table = std::get<Table>(document.blocks.at(0));
    CHECK(table.rows.at(2).at(2).shown == "14.050 ± 0.071");
    const Series& series = document.plots.at(0).series.at(1);
    CHECK(series.x == std::vector<double>{1, 2, 4});
    CHECK_THAT(series.y.at(2), WithinAbs(14.05, 1e-12));
    CHECK_THAT(series.high.at(2) - series.low.at(2), WithinAbs(0.1 * std::sqrt(2), 1e-12));
    const Json& json = document.data.at("studies").at("counted").at("arms").at(1);
    CHECK(json.at("figures").at(2).at(1).get<double>() == 14.1);
}

TEST_CASE("a study by factors: the median and the range; a point that is not finite is left out") {
    Study study = counted();
    study.by_factors = true;
    study.seeds = 1;
    study.figures = {1, kInfinity, 4, 1e-7, 2e5, 3};
    Document document{"lab x", "", "", {}, {}, {}, true};
    add(document, {study});
    CHECK(document.plots.at(0).log_y);
    CHECK(document.plots.at(0).series.at(0).x == std::vector<double>{1, 4});
    CHECK(std::get<Table>(document.blocks.at(0)).rows.at(0).at(2).shown == "1.0e-7");
}

TEST_CASE("claims in a document: a row and a sentence each, whatever came out") {
    Document document{"lab x", "", "", {}, {}, {}, true};
    Claim claim{.name = "c",
                .subject = "notes",
                .sentence = "It is smaller",
                .measure = "Steps",
                .brief = "steps",
                .arms = {"a", "b"},
                .first = {100, 101},
                .second = {200, 201}};
    add(document, {claim});
    CHECK(std::get<Text>(document.blocks.at(1)).words == "“It is smaller”, notes: holds. Steps: -100.0 ± 0.0.");
    claim.better = Better::larger;
    add(document, {claim});
    CHECK(document.data.at("claims").at(1).at("verdict").get<std::string>() == "does not hold");
    claim.first[1] = kInfinity;
    add(document, {claim});
    CHECK(std::get<Text>(document.blocks.at(5)).words.find("undecided. Steps: not finite on 1 of 2 seeds") !=
          std::string::npos);
}
