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

const Binding kBinding = {{"y", {3}}, {{"x", {3}}, {"Y", {3}}, {"w", {2}}}, {.epsilon = 0.5, .divisor = 2}};

// The function, bound, in float.
std::vector<float> made_by(const ExternalFunction& function, const Binding& binding,
                           const std::vector<const void*>& inputs) {
    const byhand::Kernel kernel = kernel_of(function, binding);
    std::vector<float> out(3);
    void* const results[] = {out.data()};
    kernel.functions.at(0).run(results, inputs.data(), nullptr);
    return out;
}

}  // namespace

TEST_CASE("steps: a function receives its inputs in order, and optionally the norm's parameters") {
    const ExternalFunctions functions = functions_of([](Steps& all) {
        all.add("y", weighted<float>);
        all.add<double>(std::string("y"), weighted<double>);
        all.add_in_one("z", constant<float>);
    });
    REQUIRE(functions.size() == 2);
    const ExternalFunction &y = functions[0], &z = functions[1];
    CHECK(y.makes == "y");
    CHECK(y.label() == "y");
    CHECK_FALSE(y.in_one);
    CHECK(z.in_one);
    CHECK(z.label() == "z_in_one");
    CHECK(z.in_double.call == nullptr);

    const byhand::Kernel kernel = kernel_of(y, kBinding);
    CHECK(kernel.results == 1);
    CHECK(kernel.inputs == 3);
    CHECK(kernel.sizes == 0);
    REQUIRE(kernel.functions.size() == 2);
    CHECK(kernel.functions[1].type == byhand::DType::float64);
    CHECK(kernel.functions[1].inputs ==
          std::vector{byhand::DType::float64, byhand::DType::int64, byhand::DType::float64});
    CHECK(made_by(y, kBinding, {kX.data(), kY.data(), kW.data()}) == std::vector<float>{22.5F, 21.5F, 55.5F});
    CHECK(made_by(z, {{"z", {3}}}, {}) == std::vector<float>{7, 0, 0});
}

TEST_CASE("steps: a tensor of another kind than the function takes is reported") {
    const ExternalFunctions functions = functions_of([](Steps& all) { all.add("y", weighted<float>); });
    Binding exchanged = kBinding;
    std::swap(exchanged.reads[1], exchanged.reads[2]);
    CHECK_THROWS_MATCHES(made_by(functions[0], exchanged, {kX.data(), kW.data(), kY.data()}), Fault,
                         MessageMatches(ContainsSubstring("as its 2. tensor: w comes there")));
}
