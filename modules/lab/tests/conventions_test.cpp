#include "lab/conventions/conventions.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/tests/read.h"

using byhand::Tensors;
using byhand::lab::Convention;
using byhand::lab::ConventionRun;
using byhand::lab::conventions;
using byhand::lab::run_convention;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

Convention convention(const std::string& name) {
    const std::vector<Convention> all = byhand::lab::conventions_of_the_field();
    const auto found = std::ranges::find(all, name, &Convention::name);
    REQUIRE(found != all.end());
    return *found;
}

// With γ = 1 and β = 0, as those who published the figures below had it.
Tensors<double> batch(std::size_t units, const std::vector<double>& x) {
    return byhand::lab::batchnorm_inputs(x, std::vector<double>(x.size(), 1), std::vector<double>(units, 1),
                                         std::vector<double>(units, 0));
}

byhand::Json field(const byhand::Json& rows, const char* key, const std::string& value) {
    for (const byhand::Json& row : rows) {
        if (row.at(key).get<std::string>() == value) {
            return row;
        }
    }
    FAIL("no " << value);
    return {};
}

}  // namespace

TEST_CASE("conventions: the running statistics that PyTorch printed for pytorch/pytorch, issue 7028") {
    const Tensors<double> in = batch(4, {2, 15, 2, 1, 2, 17, 2, 1, -4, -2, -2, -1});
    Convention one = convention("PyTorch");
    one.norm.momentum = 1;
    const ConventionRun<double> run = run_convention<double>(one, {in});
    const std::vector<double> mean = {0, 10, 0.6667, 0.3333}, variance = {12, 109, 5.3333, 1.3333};
    // numpy's std of the same batch, printed there as well: cs231n keeps its square.
    const std::vector<double> by_numpy = {2.828427, 8.524474, 1.8856181, 0.94280905};
    one = convention("cs231n");
    one.norm.momentum = 1;
    const ConventionRun<double> cs231n = run_convention<double>(one, {in});
    for (std::size_t j = 0; j < 4; ++j) {
        CHECK_THAT(run.running_mean[j], WithinAbs(mean[j], 1e-4));
        CHECK_THAT(run.running_spread[j], WithinAbs(variance[j], 1e-4));
        CHECK_THAT(std::sqrt(cs231n.running_spread[j]), WithinAbs(by_numpy[j], 1e-6));
    }
}

TEST_CASE("conventions: what PyTorch printed for pytorch/pytorch, issue 60528") {
    const Tensors<double> in = batch(1, {1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7});
    const ConventionRun<double> run = run_convention<double>(convention("PyTorch"), {in});
    CHECK_THAT(run.y.front(), WithinAbs(-1.8974, 5e-5));
    CHECK_THAT(run.running_spread.front(), WithinAbs(1.1667, 5e-5));
}

TEST_CASE("conventions: Keras' moving figures of the batch in the page of keras.ops.moments") {
    const ConventionRun<double> run = run_convention<double>(convention("Keras"), {batch(1, {0, 1, 2, 3, 100})});
    CHECK_THAT(run.running_mean.front(), WithinRel(0.01 * 21.2, 1e-12));
    CHECK_THAT(run.running_spread.front(), WithinRel(0.99 + 0.01 * 1553.36, 1e-12));
    // Evaluation: ε = 1e-3 inside the root.
    CHECK_THAT(run.evaluated.back(), WithinRel((100 - 0.212) / std::sqrt(0.99 + 15.5336 + 1e-3), 1e-12));
}

TEST_CASE("conventions: the lectures' script keeps a deviation, part 4 takes all rows at once, cs231n begins at 0") {
    // Variances of the two batches by n − 1: 4 and 16. All six rows: mean 5, squares 8 + 32 + 6·1.
    const std::vector<Tensors<double>> batches = {batch(1, {2, 4, 6}), batch(1, {2, 6, 10})};
    const ConventionRun<double> script = run_convention(convention("makemore 3, script"), batches);
    CHECK_THAT(script.running_spread.front(), WithinRel(0.999 * (0.999 + 0.001 * 2) + 0.001 * 4, 1e-12));
    const ConventionRun<double> all_rows = run_convention(convention("makemore 4"), batches);
    CHECK_THAT(all_rows.running_mean.front(), WithinRel(5.0, 1e-12));
    CHECK_THAT(all_rows.running_spread.front(), WithinRel(46.0 / 5, 1e-12));
    const ConventionRun<double> cs231n = run_convention(convention("cs231n"), batches);
    CHECK_THAT(cs231n.running_spread.front(), WithinRel(0.9 * 0.1 * 8 / 3 + 0.1 * 32 / 3, 1e-12));
}

TEST_CASE("conventions: what differs, and what does not") {
    constexpr double kRows = 5;
    const byhand::Json document =
        lab_test::read(conventions({.rows = 5, .batches = 9, .seed = 3}, {.setting = lab_test::setting()}));
    const byhand::Json& all = document.at("conventions");
    CHECK(all.size() == 8);
    const byhand::Json cs231n = field(all, "name", "cs231n").at("shares");
    CHECK(cs231n.at("forward").get<double>() == 0);
    CHECK(cs231n.at("backward").get<double>() == 0);
    CHECK(cs231n.at("evaluation").get<double>() > 0.01);
    // The whole gradient shrinks by √((n − 1)/n), but for ε.
    const byhand::Json bessel = field(document.at("one_change"), "changed", "n − 1 in the batch").at("shares");
    CHECK_THAT(bessel.at("backward").get<double>(), WithinAbs(1 - std::sqrt((kRows - 1) / kRows), 5e-3));
    CHECK(bessel.at("evaluation").get<double>() < 1e-12);
    // A running variance by n, but for what is left of the start.
    const byhand::Json by_n = field(document.at("one_change"), "changed", "n in running statistics").at("shares");
    CHECK(by_n.at("forward").get<double>() == 0);
    CHECK_THAT(by_n.at("running_variance").get<double>(), WithinAbs(1 / kRows, 0.01));
    for (const byhand::Json& one : all) {
        CHECK_FALSE(one.at("sources").empty());
    }
}

TEST_CASE("conventions: a batch has two rows at least") {
    CHECK_THROWS_AS(conventions({.rows = 1}, {}), byhand::InputError);
    CHECK_THROWS_AS(conventions({.batches = 0}, {}), byhand::InputError);
    CHECK_NOTHROW(conventions({.rows = 2, .batches = 1}, {}));
}
