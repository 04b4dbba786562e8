#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "lab/tests/read.h"

using Catch::Matchers::WithinAbs;

namespace {

byhand::Document columns(const std::vector<std::pair<std::string, lab_test::OptionValue>>& options) {
    return lab_test::run(byhand::lab::columns_experiment(), {.setting = lab_test::setting()}, options);
}

}  // namespace

TEST_CASE("columns: the figures of note 3's batch, worked out with a pencil") {
    const byhand::Json document = lab_test::read(columns({{"--bn-eps", 0.0}}));
    // Unit 1: 7, 2, 1, 7, 3: mean 4, squares 9 + 4 + 9 + 9 + 1 = 32.
    const byhand::Json& by_n = document.at("divisors").at("n");
    CHECK_THAT(by_n.at("bnmeani").at(0).get<double>(), WithinAbs(4, 1e-12));
    CHECK_THAT(by_n.at("bnvar").at(0).get<double>(), WithinAbs(6.4, 1e-12));
    CHECK_THAT(by_n.at("bnraw").at(0).get<double>(), WithinAbs(3 / std::sqrt(6.4), 1e-12));
    CHECK_THAT(by_n.at("hpreact").at(0).get<double>(), WithinAbs(0.5 * 3 / std::sqrt(6.4) + 0.25, 1e-12));
    // Unit 2: 5, 3, 2, 5, 3: mean 3.6, squares 7.2. Unit 3: mean 4.2, squares 4.8.
    const byhand::Json& bessel = document.at("divisors").at("n-1");
    CHECK_THAT(bessel.at("bnvar").at(0).get<double>(), WithinAbs(8, 1e-12));
    CHECK_THAT(bessel.at("bnvar").at(1).get<double>(), WithinAbs(1.8, 1e-12));
    CHECK_THAT(bessel.at("bnvar").at(2).get<double>(), WithinAbs(1.2, 1e-12));
    // The gradient is 1 in every row of unit 2: β feels it five times, γ and the rows not at all.
    CHECK_THAT(bessel.at("dbnbias").at(1).get<double>(), WithinAbs(5, 1e-12));
    CHECK_THAT(bessel.at("dbngain").at(1).get<double>(), WithinAbs(0, 1e-12));
    for (std::size_t row = 0; row < 5; ++row) {
        CHECK_THAT(bessel.at("dhprebn").at(row * 3 + 1).get<double>(), WithinAbs(0, 1e-12));
    }
}

TEST_CASE("columns: the gradient is that of finite differences") {
    // Σ dy·y, as a function of the first row's three values.
    constexpr double kStep = 1e-5;
    const byhand::Json document = lab_test::read(columns({}));
    const std::vector<double> batch = {7, 5, 4, 2, 3, 4, 1, 2, 3, 7, 5, 6, 3, 3, 4};
    const std::vector<double> gain = {0.5, 2, -1}, bias = {0.25, -1, 3};
    const auto loss = [&](const std::vector<double>& x, double divisor) {
        double sum = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            double mean = 0, squares = 0;
            for (std::size_t i = 0; i < 5; ++i) {
                mean += x[i * 3 + j] / 5;
            }
            for (std::size_t i = 0; i < 5; ++i) {
                squares += std::pow(x[i * 3 + j] - mean, 2);
            }
            for (std::size_t i = 0; i < 5; ++i) {
                const double dy = static_cast<double>(i + 1) * (static_cast<double>(j) - 1) + 1;
                sum += dy * (gain[j] * (x[i * 3 + j] - mean) / std::sqrt(squares / divisor + 1e-5) + bias[j]);
            }
        }
        return sum;
    };
    for (const auto& [key, divisor] : {std::pair{"n", 5.0}, std::pair{"n-1", 4.0}}) {
        for (std::size_t at = 0; at < batch.size(); ++at) {
            std::vector<double> more = batch, less = batch;
            more[at] += kStep;
            less[at] -= kStep;
            CAPTURE(key, at);
            CHECK_THAT(document.at("divisors").at(key).at("dhprebn").at(at).get<double>(),
                       WithinAbs((loss(more, divisor) - loss(less, divisor)) / (2 * kStep), 1e-7));
        }
    }
}

TEST_CASE("columns: as many gains and biases as there are units") {
    CHECK_THROWS_AS(columns({{"--gain", std::vector<double>{1, 2}}}), byhand::InputError);
    CHECK_THROWS_AS(columns({{"--bias", std::vector<double>{1, 2, 3, 4}}}), byhand::InputError);
}
