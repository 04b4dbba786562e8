#include "lab/geometry/geometry.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using byhand::lab::geometry;
using byhand::lab::GeometryOptions;
using byhand::lab::Regression;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

byhand::Recipe recipe() {
    byhand::Recipe read = lab_test::recipe("notes");
    byhand::test::set(read.network, &byhand::ShortForm::hidden, {5});
    return read;
}

const GeometryOptions kSmall = {.students = 91, .trained = 30, .rows = 120, .steps = 400};

byhand::lab::Setup small() {
    return lab_test::setup({recipe()}, 0);
}

const Regression kData{7,
                       3,
                       {0.5, -2, 1, 1.5, 3, -1, 0.25, 0, 2, -1, -0.5, 0, 0.1, 4, -2, 0.7, 0.75, -3, 1, 0.2, 0.3},
                       {1, 0, 1, 1, 0, 0, 1}};

}  // namespace

TEST_CASE("eigenvalues: worked by hand") {
    CHECK(byhand::lab::eigenvalues({-3}, 1) == std::vector<double>{-3});
    // (2 − λ)² = 1.
    const std::vector<double> two = byhand::lab::eigenvalues({2, 1, 1, 2}, 2);
    CHECK_THAT(two[0], WithinAbs(3, 1e-15));
    CHECK_THAT(two[1], WithinAbs(1, 1e-15));
    CHECK(byhand::lab::eigenvalues({1, 0, 0, 0, 5, 0, 0, 0, -2}, 3) == std::vector<double>{5, 1, -2});
}

TEST_CASE("condition numbers: Hilbert's matrices, and a singular one") {
    // The published ones of order 3 and 5: 524.057 and 4.76607e5.
    for (const auto& [size, published] : {std::pair<std::size_t, double>{3, 524.0567775860644}, {5, 476607.250242}}) {
        std::vector<double> hilbert;
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j) {
                hilbert.push_back(1 / static_cast<double>(i + j + 1));
            }
        }
        CHECK_THAT(byhand::lab::condition_number(hilbert, size), WithinRel(published, 1e-6));
    }
    CHECK(std::isinf(byhand::lab::condition_number({1, 2, 2, 4}, 2)));
}

TEST_CASE("logistic regression: gradient and curvature are those of finite differences") {
    constexpr double kStep = 1e-5;
    const std::vector<double> weights = {0.3, -0.2, 0.5, 0.1};
    const std::vector<double> gradient = gradient_of(kData, weights), bend = curvature(kData, weights);
    for (std::size_t i = 0; i < 4; ++i) {
        std::vector<double> more = weights, less = weights;
        more[i] += kStep;
        less[i] -= kStep;
        CHECK_THAT(gradient[i], WithinAbs((loss_of(kData, more) - loss_of(kData, less)) / (2 * kStep), 1e-9));
        for (std::size_t j = 0; j < 4; ++j) {
            CHECK_THAT(bend[i * 4 + j],
                       WithinAbs((gradient_of(kData, more)[j] - gradient_of(kData, less)[j]) / (2 * kStep), 1e-9));
        }
    }
    CHECK_THAT(loss_of(kData, {0, 0, 0, 0}), WithinRel(std::log(2), 1e-12));
}

TEST_CASE("logistic regression: the Gram matrix, and the best weights, worked by hand") {
    // One input: where it is 0 one in four say yes, where it is 1 three in four: b = ln(1/3), w + b = ln 3.
    const Regression data{8, 1, {0, 0, 0, 0, 1, 1, 1, 1}, {0, 1, 0, 0, 1, 1, 0, 1}};
    CHECK(gram_matrix(data) == std::vector<double>{0.5, 0.5, 0.5, 1});
    const std::vector<double> best = best_weights(data);
    CHECK_THAT(best[0], WithinAbs(std::log(9), 1e-6));
    CHECK_THAT(best[1], WithinAbs(-std::log(3), 1e-6));
    const double entropy = -0.25 * std::log(0.25) - 0.75 * std::log(0.75);
    CHECK_THAT(loss_of(data, best), WithinRel(entropy, 1e-12));
    // Standardised, the inputs are −1 and 1: the least loss is the same, with half the weight.
    const Regression scaled = standardised(data);
    CHECK_THAT(scaled.x.front(), WithinAbs(-1, 1e-4));
    CHECK_THAT(best_weights(scaled)[0], WithinAbs(std::log(3), 1e-4));
    CHECK_THAT(loss_of(scaled, best_weights(scaled)), WithinRel(entropy, 1e-12));
}

TEST_CASE("students are as they are said to be") {
    const Regression data = byhand::lab::students(4000, 7);
    double marks = 0, iq = 0, yes = 0;
    for (std::size_t i = 0; i < data.n; ++i) {
        CHECK((data.x[i * 2] >= 0 && data.x[i * 2] <= 10));
        CHECK((data.x[i * 2 + 1] >= 70 && data.x[i * 2 + 1] <= 140));
        marks += data.x[i * 2] / 4000;
        iq += data.x[i * 2 + 1] / 4000;
        yes += static_cast<double>(data.Y[i]) / 4000;
    }
    CHECK_THAT(marks, WithinAbs(5, 0.2));
    CHECK_THAT(iq, WithinAbs(105, 1.4));
    CHECK_THAT(yes, WithinAbs(0.5, 0.04));
    // The rule that made them is found again.
    const std::vector<double> best = best_weights(data);
    CHECK_THAT(best[0], WithinAbs(0.8, 0.1));
    CHECK_THAT(best[1], WithinAbs(0.08, 0.01));
    CHECK(data.x != byhand::lab::students(4000, 8).x);
}

TEST_CASE("a valley: the largest rate is 2/λ, and steps are counted") {
    const Regression data = standardised(byhand::lab::students(150, 2));
    const double least = loss_of(data, best_weights(data));
    const byhand::lab::Valley valley = measure_valley(data, least + 0.02, 50);
    const double theory = 2 / byhand::lab::eigenvalues(curvature(data, best_weights(data)), 3).front();
    CHECK_THAT(valley.largest_rate, WithinRel(theory, 0.01));
    CHECK(converges(data, 0.99 * theory, 1000));
    CHECK_FALSE(converges(data, 1.01 * theory, 1000));
    CHECK(valley.steps < 50);
    // One step fewer is not enough at its rate.
    double before = 0;
    descend(data, valley.rate, static_cast<std::size_t>(valley.steps), [&](double loss) {
        before = loss;
        return true;
    });
    CHECK(before > least + 0.02);
    // At weights of 0 every p is 1/2: the curvature is a quarter of the Gram matrix.
    const std::vector<double> gram = gram_matrix(data), bend = curvature(data, {0, 0, 0});
    for (std::size_t i = 0; i < gram.size(); ++i) {
        CHECK_THAT(bend[i], WithinAbs(gram[i] / 4, 1e-12));
    }
    CHECK(measure_valley(data, least / 2, 5, 100).steps == 5);
}

TEST_CASE("geometry: standardised inputs mend the students' valley") {
    const auto run = [] { return lab_test::read(geometry(kSmall, small())); };
    const byhand::Json document = run();
    REQUIRE(document.at("claims").size() == 9);
    const byhand::Json &condition = document.at("claims").at(0), &steps = document.at("claims").at(2);
    for (std::size_t seed = 0; seed < 2; ++seed) {
        CHECK(condition.at("without").at("values").at(seed).get<double>() > 1e5);
        CHECK(condition.at("with").at("values").at(seed).get<double>() < 3);
        CHECK(steps.at("without").at("values").at(seed).get<double>() == 400);
        CHECK(steps.at("with").at("values").at(seed).get<double>() < 10);
    }
    CHECK(condition.at("verdict").get<std::string>() == "holds");
    // Step by step from the loss of guessing, ln 2, down.
    const byhand::Json& descent = document.at("studies").at("descent").at("arms").at(0).at("figures");
    CHECK(descent.at(0).at(0).get<double>() < std::log(2));
    CHECK(descent.back().at(0).get<double>() < 0.01 * descent.at(0).at(0).get<double>());
    // The same command gives the same figures, on however many threads.
    CHECK(document == run());
}

TEST_CASE("geometry: h is what the network's output layer is given") {
    byhand::Recipe with_norm = recipe();
    const Regression h = byhand::lab::activations(with_norm, "before", 30, 77, lab_test::names());
    CHECK(h.inputs == 5);
    CHECK(h.n == 77);
    CHECK(std::ranges::all_of(h.x, [](double x) { return std::abs(x) < 1; }));
    CHECK(h.x != byhand::lab::activations(with_norm, "none", 30, 77, lab_test::names()).x);
    CHECK(h.x != byhand::lab::activations(with_norm, "before", 31, 77, lab_test::names()).x);
}

TEST_CASE("geometry: what cannot be asked") {
    GeometryOptions options = kSmall;
    options.students = 1;
    CHECK_THROWS_AS(geometry(options, small()), byhand::InputError);
    options.students = 3;  // a line through the plane parts any three
    CHECK_THROWS_AS(geometry(options, small()), byhand::InputError);
    options = kSmall;
    options.rows = 10'000'000;
    CHECK_THROWS_AS(geometry(options, small()), byhand::InputError);
}
