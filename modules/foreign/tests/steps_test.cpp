// Functions as they are registered.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "foreign/exercise/functions.h"

using namespace byhand::exercise;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

template <class T>
void weighted(Tensor<T> out, Tensor<const T> x, Indices Y, Tensor<const T> w, const Norm& norm) {
    for (std::ptrdiff_t i = 0; i < out.size(0); ++i) {
        out(i) = x(i) * w(Y(i)) + static_cast<T>(norm.epsilon);
    }
}

template <class T>
void constant(Tensor<T> out) {
    out(0) = 7;
}

const std::vector<float> kX = {2, 3, 5}, kW = {7, 11};
const std::vector<std::int64_t> kY = {1, 0, 1};

std::vector<Read<float>> reads() {
    return {Tensor<const float>("x", {3}, kX.data()), Indices("Y", {3}, kY.data()),
            Tensor<const float>("w", {2}, kW.data())};
}

}  // namespace

TEST_CASE("steps: a function receives its inputs in order, and optionally the norm's parameters") {
    const Functions steps = functions_of([](Steps& all) {
        all.add("y", weighted<float>);
        all.add<double>(std::string("y"), weighted<double>);
        all.add_in_one("z", constant<float>);
    });
    REQUIRE(steps.in_float().size() == 2);
    REQUIRE(steps.in_double().size() == 1);
    const Function<float>& y = steps.in_float()[0];
    CHECK(y.makes == "y");
    CHECK(y.reads == 3);
    CHECK_FALSE(y.in_one);
    CHECK(y.label() == "y");
    CHECK(steps.in_float()[1].in_one);
    CHECK(steps.in_float()[1].reads == 0);
    CHECK(steps.in_float()[1].label() == "z_in_one");

    std::vector<float> out(3);
    y.run(Tensor<float>("y", {3}, out.data()), reads(), {.epsilon = 0.5, .divisor = 2});
    CHECK(out == std::vector<float>{22.5F, 21.5F, 55.5F});
}

TEST_CASE("steps: a tensor of another kind than the function takes is reported") {
    const Functions steps = functions_of([](Steps& all) { all.add("y", weighted<float>); });
    std::vector<Read<float>> exchanged = reads();
    std::swap(exchanged[1], exchanged[2]);
    std::vector<float> out(3);
    CHECK_THROWS_MATCHES(steps.in_float()[0].run(Tensor<float>("y", {3}, out.data()), exchanged, {}), Fault,
                         MessageMatches(ContainsSubstring("as its 2. tensor: w comes there")));
}
