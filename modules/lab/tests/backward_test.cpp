#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/tests/read.h"

using namespace byhand;
using namespace byhand::lab;

namespace {

using Shape = std::vector<std::size_t>;

Document backward(const Shape& rows, const Shape& columns, std::size_t rounds, const Setup& setup) {
    return lab_test::run(backward_experiment(), setup,
                         {{"--rows", rows}, {"--columns", columns}, {"--rounds", rounds}});
}

// LibTorch's dx and the one line in long double are compared on the way, each form by its limits of rounding.
Json document(const Setting& setting) {
    return lab_test::read(backward({2, 9}, {1, 17}, 4, {.seeds = {3, 4}, .setting = setting}));
}

// The errors of an arm, at one value.
std::vector<double> errors(const Json& document, const char* study, std::size_t arm, std::size_t value) {
    return document.at("studies").at(study).at("arms").at(arm).at("figures").at(value).get<std::vector<double>>();
}

constexpr std::size_t kLine = 0, kSteps = 1, kChain = 2, kChainWithoutPath = 3;

}  // namespace

TEST_CASE("backward: on easy data each form is off by a few roundings of its type, on hard data by more") {
    for (const Setting& setting : {lab_test::setting(), Setting()}) {
        const Json found = document(setting);
        CHECK(found.at("plots").size() == 8);
        // With LibTorch or without, the forms agree, by both divisors.
        const Json& agreements = found.at("tables").at(0).at("rows");
        CHECK(agreements.size() == (setting.torch == nullptr ? 2 * 3 : 2 * 4));
        for (const Json& agreement : agreements) {
            CHECK(agreement.back().get<std::string>() == "agrees");
        }
        for (const std::size_t form : {kLine, kSteps, kChain}) {
            for (const double error : errors(found, "mean_n_float", form, 0)) {
                CHECK(error > 1e-8);  // u of float is 6e-8
                CHECK(error < 1e-6);
            }
            for (const double error : errors(found, "mean_n_double", form, 0)) {
                CHECK(error > 1e-17);
                CHECK(error < 1e-14);
            }
            CHECK(errors(found, "mean_n_float", form, 6)[0] > 100 * errors(found, "mean_n_float", form, 0)[0]);
        }
        // With the mean far off, the differences do not add up to 0 and the path changes the result.
        CHECK(errors(found, "mean_n_float", kChain, 6) != errors(found, "mean_n_float", kChainWithoutPath, 6));
    }
}

TEST_CASE("backward: without ε the small steps end before the one line does, where σ³ leaves the range of float") {
    const Json found = document(lab_test::setting());
    const auto at = [&](std::size_t form, std::size_t value) {  // of 1e-4, 1e-8, 1e-12, 1e-14 …
        const Json& figure = found.at("studies").at("deviation_n_float").at("arms").at(form).at("figures").at(value);
        return figure.at(0).is_string() ? NAN : figure.at(0).get<double>();
    };
    for (const std::size_t form : {kLine, kSteps, kChain}) {
        CHECK(at(form, 1) < 1e-6);
    }
    CHECK(std::isnan(at(kSteps, 3)));
    CHECK(std::isnan(at(kChain, 3)));
    CHECK(at(kLine, 3) < 1e-6);
}

TEST_CASE("backward: speed-ups of every shape, with the percentiles in order") {
    const Json found = document(lab_test::setting());
    for (const char* over : {"speed_steps", "speed_chain"}) {
        const Json& study = found.at("studies").at(over);
        CHECK(study.at("values").size() == 2);
        REQUIRE(study.at("arms").size() == 2);
        CHECK(study.at("arms").at(1).at("name").get<std::string>() == "17 columns");
        for (const std::size_t value : {0, 1}) {
            const std::vector<double> figures = errors(found, over, 1, value);
            CHECK(0 < figures[0]);
            CHECK(figures[0] <= figures[1]);
            CHECK(figures[1] <= figures[2]);
        }
    }
}

TEST_CASE("backward: shapes that cannot be timed are refused") {
    CHECK_THROWS_AS(backward({1}, {16}, 1, {}), InputError);
    CHECK_THROWS_AS(backward({}, {16}, 1, {}), InputError);
    CHECK_THROWS_AS(backward({8}, {0}, 1, {}), InputError);
    CHECK_THROWS_AS(backward({1 << 20}, {1 << 7}, 1, {}), InputError);
    CHECK_THROWS_AS(backward({8}, {16}, 0, {}), InputError);
}
