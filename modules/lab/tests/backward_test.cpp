#include "lab/backward/backward.h"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/tests/read.h"
#include "manual/batchnorm/chain.h"
#include "manual/batchnorm/formulas.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

NormConfig with(Divisor divisor, double epsilon, EpsilonPlace place) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    norm.epsilon_place = place;
    return norm;
}

const std::vector<NormConfig> kConventions = {
    with(Divisor::n, 1e-5, EpsilonPlace::inside), with(Divisor::n_minus_1, 1e-5, EpsilonPlace::inside),
    with(Divisor::n, 0.25, EpsilonPlace::outside), with(Divisor::n_minus_1, 0, EpsilonPlace::inside)};

}  // namespace

TEST_CASE("backward: a result for each shape, type and divisor, with the figures that are promised") {
    const BackwardOptions options{.rows = {2, 9}, .columns = {1, 17}, .rounds = 4};
    const Json document = lab_test::read(backward(options, {.seeds = {3, 4}, .setting = lab_test::setting()}));
    std::set<std::string> cases;
    for (const Json& one : document.at("results")) {
        const double scale = one.at("type").get<std::string>() == "float" ? 1e-6 : 1e-14;
        cases.insert(std::to_string(one.at("rows").get<int>()) + " " + std::to_string(one.at("columns").get<int>()) +
                     " " + one.at("divisor").get<std::string>() + " " + one.at("type").get<std::string>());
        // Of two rows nothing is left but ε and rounding, times the inverse deviation.
        CHECK(one.at("max_difference").get<double>() < 100 * scale);
        for (const char* over : {"speedup", "speedup_over_chain"}) {
            const Json& speedup = one.at(over);
            CHECK(speedup.at("p10").get<double>() > 0);
            CHECK(speedup.at("p10").get<double>() <= speedup.at("median").get<double>());
            CHECK(speedup.at("median").get<double>() <= speedup.at("p90").get<double>());
        }
        CHECK(one.at("rounds").get<int>() >= 1);
        CHECK(one.at("rounds").get<int>() <= 4);
    }
    CHECK(cases.size() == 16);
    CHECK(document.at("results").size() == 16);
    CHECK(cases.contains("9 17 n-1 double"));
    CHECK(document.at("plots").size() == 7);
}

TEST_CASE("backward: without LibTorch it runs as well, against long double") {
    const Json document = lab_test::read(backward({.rows = {3}, .columns = {5}, .rounds = 1}, {.seeds = {1}}));
    CHECK(document.at("results").size() == 4);
    // u of float is 6e-8: on easy data an error is of that size, and not 0.
    const Json& line = document.at("studies").at("mean_n_float").at("arms").at(0);
    CHECK(line.at("name").get<std::string>() == "one line");
    const double easy = line.at("figures").at(0).at(0).get<double>();
    CHECK(easy > 1e-8);
    CHECK(easy < 1e-6);
}

TEST_CASE("backward: a speed-up is the ratio of each round's own two times") {
    // Ratios 2, 3, 4, 5, 6, whatever the size of the times: the ratio of the medians would be 3.
    const Speedup found = speedup({2, 30, 4, 0.5, 6}, {1, 10, 1, 0.1, 1});
    CHECK_THAT(found.median, WithinRel(4, 1e-12));
    CHECK_THAT(found.p10, WithinRel(2.4, 1e-12));
    CHECK_THAT(found.p90, WithinRel(5.6, 1e-12));
    CHECK_THAT(speedup({3}, {4}).p90, WithinRel(0.75, 1e-12));
}

TEST_CASE("backward: slow measurements end after three rounds, very slow ones after one") {
    CHECK_FALSE(is_enough(0, 100, 2));
    CHECK_FALSE(is_enough(1, 0.49, 2));
    CHECK(is_enough(1, 0.5, 2));
    CHECK(is_enough(2, 0.5, 2));
    CHECK_FALSE(is_enough(3, 1.9, 2));
    CHECK(is_enough(3, 2, 2));
}

TEST_CASE("backward: three rounds show every form at every place, six all orders") {
    std::set<std::array<std::size_t, 3>> orders;
    for (std::size_t place = 0; place < 3; ++place) {
        CHECK(std::set{order_of(0)[place], order_of(1)[place], order_of(2)[place]}.size() == 3);
    }
    for (std::size_t round = 0; round < 6; ++round) {
        orders.insert(order_of(round));
    }
    CHECK(orders.size() == 6);
    CHECK(order_of(6) == order_of(0));
}

TEST_CASE("backward: the forms differ by no more than rounding, on easy data and on hard") {
    for (const NormConfig& norm : kConventions) {
        for (const NormData& data : {NormData{9, 17, 1, 1}, NormData{33, 5, 1e3, 1}, NormData{7, 3, 0, 1e-3}}) {
            CAPTURE(data.mean, data.deviation, norm.epsilon);
            const Numbers<float> in = as<float>(drawn(data, 5));
            const ThreeForms<float> forms = three_forms(in, norm);
            const ThreeForms<Rounded> bounds = three_forms(as<Rounded>(in), norm);
            for (const auto& [a, b] : {std::pair{0, 1}, std::pair{0, 2}, std::pair{1, 2}}) {
                std::size_t beyond = 0;
                for (std::size_t i = 0; i < forms.dx[a].size(); ++i) {
                    const double difference =
                        std::fabs(static_cast<double>(forms.dx[a][i]) - static_cast<double>(forms.dx[b][i]));
                    beyond += difference <= bounds.dx[a][i].any_order() + bounds.dx[b][i].any_order() ? 0 : 1;
                }
                CHECK(beyond == 0);
            }
        }
    }
}

TEST_CASE("backward: the oracle in long double agrees with LibTorch in double") {
    if (lab_test::setting().torch == nullptr) {
        SKIP("LibTorch is missing");
    }
    for (const NormConfig& norm : kConventions) {
        for (const std::uint64_t seed : {1, 2, 3}) {
            const std::vector<Agreement> found = agreements({33, 7, 2, 0.5}, norm, seed, lab_test::setting());
            CHECK(found.size() == 4);
            CHECK(all_hold(found));
        }
    }
}

TEST_CASE("backward: the error is the largest one over the largest gradient") {
    CHECK_THAT(relative_error(std::vector<double>{1, -3, 0.25}, {1, -4, 0.5}), WithinRel(0.25, 1e-12));
    CHECK(std::isnan(relative_error(std::vector<double>{NAN, 1}, {1, 1})));
    CHECK(std::isnan(relative_error(std::vector<double>{1, NAN}, {1, 1})));
}

TEST_CASE("backward: without ε the small steps end before the one line does, where σ³ leaves the range of float") {
    const NormConfig norm = with(Divisor::n, 0, EpsilonPlace::inside);
    const auto above = errors<float>({33, 3, 0, 1e-11}, norm, 1, lab_test::setting());
    const auto below = errors<float>({33, 3, 0, 1e-15}, norm, 1, lab_test::setting());
    CHECK(above[0] < 1e-6);
    CHECK(above[1] < 1e-6);
    CHECK_FALSE(std::isfinite(below[0]));
    CHECK_FALSE(std::isfinite(below[1]));
    CHECK(below[2] < 1e-6);
}

TEST_CASE("backward: where the differences add up to 0 exactly, the path changes no bit") {
    // 2, 0, 2, 4: note 2's example.
    Numbers<float> in{{{"hprebn", {2, 0, 2, 4}}, {"dhpreact", {1, 2, 3, -4}}, {"bngain", {1.5}}, {"bnbias", {0.25}}}};
    const NormConfig norm = with(Divisor::n_minus_1, 1e-5, EpsilonPlace::inside);
    ThreeForms<float> forms = three_forms(in, norm);
    CHECK(without_path(forms.values, norm) == forms.dx[0]);
    // With the mean far off they do not, and it does.
    in = as<float>(drawn({33, 3, 1e5, 1}, 1));
    forms = three_forms(in, norm);
    CHECK(without_path(forms.values, norm) != forms.dx[0]);
}

TEST_CASE("backward: shapes that cannot be timed are refused") {
    CHECK_THROWS_AS(backward({.rows = {1}}, {}), InputError);
    CHECK_THROWS_AS(backward({.rows = {}}, {}), InputError);
    CHECK_THROWS_AS(backward({.columns = {0}}, {}), InputError);
    CHECK_THROWS_AS(backward({.rows = {1 << 20}, .columns = {1 << 7}}, {}), InputError);
    CHECK_THROWS_AS(backward({.rounds = 0}, {}), InputError);
}
