#include "lab/geometry/geometry.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/geometry/contours.h"
#include "lab/geometry/scales.h"
#include "lab/geometry/valley.h"
#include "lab/read.h"
#include "lab/recipes.h"

using byhand::lab::geometry;
using byhand::lab::GeometryOptions;
using byhand::lab::YesOrNo;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

byhand::Recipe recipe() {
    byhand::Recipe read = lab_test::recipe("notes");
    read.network.hidden = {5};
    return read;
}

GeometryOptions small() {
    GeometryOptions options;
    options.seeds = {3, 2};
    options.students = 91;
    options.recipe = recipe();
    options.trained = 30;
    options.rows = 120;
    options.steps = 400;
    return options;
}

const YesOrNo kQuestion{7,
                        3,
                        {0.5, -2, 1, 1.5, 3, -1, 0.25, 0, 2, -1, -0.5, 0, 0.1, 4, -2, 0.7, 0.75, -3, 1, 0.2, 0.3},
                        {1, 0, 1, 1, 0, 0, 1}};

}  // namespace

TEST_CASE("a yes-or-no question: gradient and curvature are those of finite differences") {
    constexpr double kStep = 1e-5;
    const std::vector<double> weights = {0.3, -0.2, 0.5, 0.1};
    const std::vector<double> gradient = gradient_of(kQuestion, weights), bend = curvature(kQuestion, weights);
    for (std::size_t i = 0; i < 4; ++i) {
        std::vector<double> more = weights, less = weights;
        more[i] += kStep;
        less[i] -= kStep;
        CHECK_THAT(gradient[i], WithinAbs((loss_of(kQuestion, more) - loss_of(kQuestion, less)) / (2 * kStep), 1e-9));
        for (std::size_t j = 0; j < 4; ++j) {
            CHECK_THAT(
                bend[i * 4 + j],
                WithinAbs((gradient_of(kQuestion, more)[j] - gradient_of(kQuestion, less)[j]) / (2 * kStep), 1e-9));
        }
    }
    CHECK_THAT(loss_of(kQuestion, {0, 0, 0, 0}), WithinRel(std::log(2), 1e-12));
}

TEST_CASE("a yes-or-no question: the Gram matrix, and the best weights, worked by hand") {
    // One input: where it is 0 one in four say yes, where it is 1 three in four: b = ln(1/3), w + b = ln 3.
    const YesOrNo input{8, 1, {0, 0, 0, 0, 1, 1, 1, 1}, {0, 1, 0, 0, 1, 1, 0, 1}};
    CHECK(gram_matrix(input) == std::vector<double>{0.5, 0.5, 0.5, 1});
    const std::vector<double> best = best_weights(input);
    CHECK_THAT(best[0], WithinAbs(std::log(9), 1e-6));
    CHECK_THAT(best[1], WithinAbs(-std::log(3), 1e-6));
    const double entropy = -0.25 * std::log(0.25) - 0.75 * std::log(0.75);
    CHECK_THAT(loss_of(input, best), WithinRel(entropy, 1e-12));
    // Standardised, the inputs are −1 and 1: the least loss is the same, with half the weight.
    const YesOrNo scaled = standardised(input);
    CHECK_THAT(scaled.x.front(), WithinAbs(-1, 1e-4));
    CHECK_THAT(best_weights(scaled)[0], WithinAbs(std::log(3), 1e-4));
    CHECK_THAT(loss_of(scaled, best_weights(scaled)), WithinRel(entropy, 1e-12));
}

TEST_CASE("students are as they are said to be") {
    const YesOrNo input = byhand::lab::students(4000, 7);
    double marks = 0, iq = 0, yes = 0;
    for (std::size_t i = 0; i < input.n; ++i) {
        CHECK((input.x[i * 2] >= 0 && input.x[i * 2] <= 10));
        CHECK((input.x[i * 2 + 1] >= 70 && input.x[i * 2 + 1] <= 140));
        marks += input.x[i * 2] / 4000;
        iq += input.x[i * 2 + 1] / 4000;
        yes += static_cast<double>(input.Y[i]) / 4000;
    }
    CHECK_THAT(marks, WithinAbs(5, 0.2));
    CHECK_THAT(iq, WithinAbs(105, 1.4));
    CHECK_THAT(yes, WithinAbs(0.5, 0.04));
    // The rule that made them is found again.
    const std::vector<double> best = best_weights(input);
    CHECK_THAT(best[0], WithinAbs(0.8, 0.1));
    CHECK_THAT(best[1], WithinAbs(0.08, 0.01));
    CHECK(input.x != byhand::lab::students(4000, 8).x);
}

TEST_CASE("a valley: the largest rate is 2/λ, and steps are counted") {
    const YesOrNo input = standardised(byhand::lab::students(150, 2));
    const double least = loss_of(input, best_weights(input));
    const byhand::lab::Valley valley = measure_valley(input, least + 0.02, {.steps = 50, .convergence_steps = 1000});
    CHECK_THAT(valley.largest_rate, WithinRel(valley.theory_at_best, 0.01));
    CHECK(converges(input, 0.99 * valley.theory_at_best, 1000));
    CHECK_FALSE(converges(input, 1.01 * valley.theory_at_best, 1000));
    CHECK_THAT(valley.columns, WithinAbs(1, 1e-3));
    REQUIRE(valley.steps);
    CHECK(valley.loss <= least + 0.02);
    // One step fewer is not enough.
    double before = 0;
    descend(input, {0, 0, 0}, valley.best_rate, *valley.steps, 3, [&](double loss, const std::vector<double>&) {
        before = loss;
        return true;
    });
    CHECK(before > least + 0.02);
    // At weights of 0 every p is 1/2: the curvature is a quarter of the Gram matrix.
    const std::vector<double> gram = gram_matrix(input), bend = curvature(input, {0, 0, 0});
    for (std::size_t i = 0; i < gram.size(); ++i) {
        CHECK_THAT(bend[i], WithinAbs(gram[i] / 4, 1e-12));
    }
    CHECK_FALSE(measure_valley(input, least / 2, {.steps = 5, .convergence_steps = 100}).steps);
}

TEST_CASE("contours: every point has the loss of its level, and the path goes down") {
    const YesOrNo input = byhand::lab::students(150, 2);
    const std::vector<double> best = best_weights(input);
    const byhand::lab::Contours contours = contours_of(input, 0, 1, "", "", "");
    double rise = 0.01;
    for (const byhand::Series& series : contours.plot.series) {
        if (series.name.empty()) {
            for (std::size_t i = 0; i < series.x.size(); ++i) {
                if (!std::isnan(series.x[i])) {
                    const double loss = loss_of(input, {series.x[i], series.y[i], best[2]});
                    CHECK_THAT(loss - loss_of(input, best), WithinRel(rise, 1e-4));
                }
            }
            rise *= 4;
        }
    }
    CHECK(contours.plot.series.size() > 3);
    const byhand::Series& path = contours.plot.series.back();
    REQUIRE(path.x.size() == contours.steps + 1);
    CHECK_THAT(loss_of(input, {path.x.back(), path.y.back(), best[2]}) - loss_of(input, best),
               WithinAbs(0.01 * contours.left, 1e-9));
    CHECK(contours.left < 1);
    // The valley is long where inputs are raw, and round where they are not.
    CHECK(contours.axes > 20);
    CHECK(contours_of(standardised(input), 0, 1, "", "", "").axes < 4);
}

TEST_CASE("geometry: standardised inputs mend the students' valley") {
    const byhand::Json document = lab_test::read(geometry(small(), lab_test::names(), lab_test::setting()));
    const byhand::Json& scenes = document.at("scenes");
    REQUIRE(scenes.size() == 3);
    const byhand::Json &raw = scenes[0].at("raw"), &scaled = scenes[0].at("standardised");
    for (std::size_t seed = 0; seed < 2; ++seed) {
        CHECK(raw.at("condition").at(seed).get<double>() > 1e5);
        CHECK(scaled.at("condition").at(seed).get<double>() < 3);
        CHECK(raw.at("steps").at(seed).get<std::string>() == "inf");
        CHECK(scaled.at("steps").at(seed).get<double>() < 10);
    }
    CHECK(scenes[0].at("holds").get<bool>());
    CHECK(byhand::printed_json(document.at("text"), 0).find("The claim holds.") != std::string::npos);
    CHECK(document.at("plots").size() == 4);
    // The same command gives the same figures, on however many threads.
    CHECK(document == lab_test::read(geometry(small(), lab_test::names(), lab_test::setting())));
}

TEST_CASE("geometry: h is what the network's output layer is given") {
    byhand::Recipe with_norm = recipe();
    const YesOrNo h = byhand::lab::activations(with_norm, byhand::NormPlace::before, 30, 77, lab_test::names());
    CHECK(h.inputs == 5);
    CHECK(h.n == 77);
    CHECK(std::ranges::all_of(h.x, [](double x) { return std::abs(x) < 1; }));
    CHECK(h.x != byhand::lab::activations(with_norm, byhand::NormPlace::none, 30, 77, lab_test::names()).x);
    CHECK(h.x != byhand::lab::activations(with_norm, byhand::NormPlace::before, 31, 77, lab_test::names()).x);
}

TEST_CASE("geometry: what cannot be asked") {
    GeometryOptions options = small();
    options.students = 1;
    CHECK_THROWS_AS(geometry(options, lab_test::names(), {}), byhand::InputError);
    options = small();
    options.students = 3;  // a line through the plane parts any three
    CHECK_THROWS_AS(geometry(options, lab_test::names(), {}), byhand::InputError);
    options = small();
    options.rows = 10'000'000;
    CHECK_THROWS_AS(geometry(options, lab_test::names(), {}), byhand::InputError);
}
