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

// A number that counts what is computed with it.
struct Counted {
    double value = 0;
    inline static std::size_t flop = 0, divisions = 0;

    Counted() = default;
    template <Arithmetic Number>
    Counted(Number number) : value(static_cast<double>(number)) {}  // NOLINT(google-explicit-constructor)

    static Counted made(double value) {
        ++flop;
        return {value};
    }
    Counted operator-() const { return {-value}; }
    friend Counted operator+(Counted a, Counted b) { return made(a.value + b.value); }
    friend Counted operator-(Counted a, Counted b) { return made(a.value - b.value); }
    friend Counted operator*(Counted a, Counted b) { return made(a.value * b.value); }
    friend Counted operator/(Counted a, Counted b) {
        ++divisions;
        return made(a.value / b.value);
    }
    friend Counted sqrt(Counted a) { return made(std::sqrt(a.value)); }
    Counted& operator+=(Counted b) { return *this = *this + b; }
    Counted& operator/=(Counted b) { return *this = *this / b; }
};

struct Tally {
    std::size_t flop = 0, divisions = 0;
};

// Of every function of the forms, by name, on (n, H).
std::map<std::string, Tally> tallies(std::size_t n, std::size_t H) {
    constexpr Divisor kDivisor = Divisor::n_minus_1;
    constexpr EpsilonPlace kPlace = EpsilonPlace::inside;
    constexpr double kEpsilon = 1e-5;
    const std::vector<Function<Counted>> functions = {
        bound("batchnorm_chain_variance_backward", batchnorm_chain_variance_backward<Counted>, n, H, kEpsilon, kPlace),
        bound("batchnorm_chain_mean_backward", batchnorm_chain_mean_backward<Counted>, n, H, kDivisor),
        bound("batchnorm_chain_input_backward", batchnorm_chain_input_backward<Counted>, n, H, kDivisor),
        bound("batchnorm_inverse_deviation_backward", batchnorm_inverse_deviation_backward<Counted>, n, H),
        bound("batchnorm_variance_backward", batchnorm_variance_backward<Counted>, H, kEpsilon, kPlace),
        bound("batchnorm_square_sum_backward", batchnorm_square_sum_backward<Counted>, n, H, n, kDivisor),
        bound("batchnorm_difference_backward", batchnorm_difference_backward<Counted>, n, H),
        bound("batchnorm_mean_backward", batchnorm_mean_backward<Counted>, n, H),
        bound("batchnorm_input_backward", batchnorm_input_backward<Counted>, n, H, n),
        bound("batchnorm_backward", batchnorm_backward<Counted>, n, H, kDivisor, kEpsilon, kPlace)};
    const std::vector<Counted> operand(n * H);
    std::vector<Counted> out(n * H);
    std::map<std::string, Tally> found;
    for (const Function<Counted>& function : functions) {
        Counted::flop = Counted::divisions = 0;
        function.run(out.data(), std::vector<Operand<Counted>>(5, operand.data()));
        found[function.name] = {Counted::flop, Counted::divisions};
    }
    return found;
}

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
    const BackwardOptions options{
        .seeds = {3, 2}, .rows = {2, 9}, .columns = {1, 17}, .rounds = 4, .caches = {1024, 1 << 20}};
    const Json document = lab_test::read(backward(options, lab_test::setting()));
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
    CHECK(document.at("plots").size() == 4);
}

TEST_CASE("backward: without LibTorch it runs as well, against long double") {
    const BackwardOptions options{.seeds = {1, 1}, .rows = {3}, .columns = {5}, .rounds = 1};
    const Json document = lab_test::read(backward(options, {}));
    CHECK(document.at("results").size() == 4);
    // u of float is 6e-8: on easy data an error is of that size, and not 0.
    const Json& easy = document.at("accuracy").at(0);
    CHECK(easy.at("type").get<std::string>() == "float");
    CHECK(easy.at("one_line").get<double>() > 1e-8);
    CHECK(easy.at("one_line").get<double>() < 1e-6);
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

TEST_CASE("backward: each function computes and divides as often as its counts say") {
    // What is done once a column cancels in the difference; partial sums of eight rows are 1/8 of an operation for each
    // sum.
    const std::map<std::string, Tally> large = tallies(80, 17), small = tallies(40, 17);
    const double elements = 40 * 17;
    std::size_t functions = 0;
    for (const lab::Form form : kForms) {
        for (const Step& step : steps_of(form, {}, 3, 2)) {
            const std::string& name = step.in_float.name;
            CAPTURE(name);
            const Work& work = work_of(name);
            const double flop = static_cast<double>(large.at(name).flop - small.at(name).flop) / elements;
            CHECK(flop >= static_cast<double>(work.flop));
            CHECK(flop <= static_cast<double>(work.flop) + 0.25);
            CHECK_THAT(static_cast<double>(large.at(name).divisions - small.at(name).divisions) / elements,
                       WithinAbs(static_cast<double>(work.divisions), 1e-12));
            CHECK(work.writes == (step.shape.size() == 2 ? 1 : 0));
            ++functions;
        }
    }
    CHECK(functions == large.size());
    CHECK_THROWS_AS(work_of("tanh_forward"), std::out_of_range);
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
    const auto above = median_errors<float>({33, 3, 0, 1e-11}, norm, {1, 3}, lab_test::setting()).forms;
    const auto below = median_errors<float>({33, 3, 0, 1e-15}, norm, {1, 3}, lab_test::setting()).forms;
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

TEST_CASE("backward: sizes as people read them") {
    CHECK(bytes(640) == "640 B");
    CHECK(bytes(48 << 10) == "48 KiB");
    CHECK(bytes(1023 << 10) == "1023 KiB");
    CHECK(bytes(std::size_t{5} << 28) == "1.25 GiB");
}
