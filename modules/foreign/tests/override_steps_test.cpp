// External functions in place of the network's steps.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "base/change_network.h"
#include "base/error.h"
#include "foreign/exercise/functions.h"
#include "manual/stepwise.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using exercise::ExternalFunctions;
using exercise::Fault;
using exercise::functions_of;
using exercise::Indices;
using exercise::Norm;
using exercise::Steps;
using exercise::Tensor;

namespace {

constexpr std::size_t kRows = 5;

const NetworkConfig kNetwork = {
    .vocabulary = 11, .context = 3, .embedding = 2, .layers = layers_of({.hidden = {7}}), .norm = {.epsilon = 0.125}};

template <class T>
void dbnvar(Tensor<T> out, Tensor<const T> dbnvar_inv, Tensor<const T> bnvar, Norm norm) {
    for (std::ptrdiff_t j = 0; j < out.size(0); ++j) {
        out(j) = dbnvar_inv(j) + 10 * bnvar(j) + 100 * static_cast<T>(norm.epsilon) +
                 1000 * static_cast<T>(norm.divisor) + (norm.epsilon_inside ? 0 : 7);
    }
}
template <class T>
void dC(Tensor<T> out, Tensor<const T> demb, Indices X) {
    out(0, 0) = static_cast<T>(demb.size(0) * demb.size(1) * demb.size(2) + 100 * X.size(0) * X.size(1));
}
template <class T>
void one_too_few(Tensor<T> out, Tensor<const T> dbnvar_inv) {
    out(0) = dbnvar_inv(0);
}

}  // namespace

TEST_CASE("override: overridden steps have external functions and the network's shapes; the others are unchanged") {
    const ExternalFunctions steps = functions_of([](Steps& all) {
        all.add("dC", dC<double>);
        all.add("dbnvar", dbnvar<double>);
    });
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        NetworkConfig config = kNetwork;
        config.norm.batch_divisor = divisor;
        config.norm.epsilon_place = divisor == Divisor::n ? EpsilonPlace::outside : EpsilonPlace::inside;
        Graph theirs = stepwise_graph(config, kRows);
        CHECK(exercise::override_steps(theirs, steps) == std::vector<std::string>{"dbnvar", "dC"});
        CHECK(find_step(theirs, "dbnvar")->in_double.name == "dbnvar");
        CHECK(find_step(theirs, "dbnvar")->in_float.name == "batchnorm_variance_backward");
        CHECK(find_step(theirs, "dh")->in_double.name ==
              find_step(stepwise_graph(config, kRows), "dh")->in_double.name);

        std::array<double, 7> out{}, inv{}, var{};
        inv.fill(3);
        var.fill(2);
        const std::array<Operand<double>, 2> reads = {inv.data(), var.data()};
        find_step(theirs, "dbnvar")->in_double.run(out.data(), reads);
        const double D = divisor == Divisor::n ? kRows : kRows - 1;
        CHECK(std::ranges::all_of(
            out, [&](double x) { return x == 3 + 20 + 12.5 + 1000 * D + (divisor == Divisor::n ? 7 : 0); }));

        std::vector<double> C(22), demb(30);
        const std::vector<std::int64_t> X(15);
        const std::array<Operand<double>, 2> of_C = {demb.data(), X.data()};
        find_step(theirs, "dC")->in_double.run(C.data(), of_C);
        CHECK(C[0] == 30 + 1500);
    }
}

TEST_CASE("override: the divisor counts the positions of a batch norm, and the units of a layer norm") {
    NetworkConfig config = kNetwork;
    config.context = 6;
    OperationConfig pairs{op::kFlatten}, threes{op::kFlatten};
    pairs.positions = 2;
    threes.positions = 3;
    config = with_layers(config, {pairs, {"linear", 7}, {"batchnorm"}, threes, {"linear", 4}, {"tanh"}, {"linear"}});
    const auto divisor = [](const NetworkConfig& network, const char* makes, void (*add)(Steps&)) {
        Graph theirs = stepwise_graph(network, kRows);
        exercise::override_steps(theirs, functions_of(add));
        std::array<double, kRows * 7> out{}, zero{};
        const std::array<Operand<double>, 2> reads = {zero.data(), zero.data()};
        find_step(theirs, makes)->in_double.run(out.data(), reads);
        return (out[0] - 12.5) / 1000;
    };
    CHECK(divisor(config, "dbnvar.1", [](Steps& all) { all.add("dbnvar.1", dbnvar<double>); }) == kRows * 3 - 1);
    NetworkConfig layer = kNetwork;
    test::set(layer, &ShortForm::norm, op::kLayernorm);
    CHECK(divisor(layer, "dlnvar", [](Steps& all) { all.add("dlnvar", dbnvar<double>); }) == 7);
}

TEST_CASE("override: a function of another number of tensors is a fault when it runs") {
    const ExternalFunctions steps = functions_of([](Steps& all) { all.add("dbnvar", one_too_few<float>); });
    Graph theirs = stepwise_graph(kNetwork, kRows);
    exercise::override_steps(theirs, steps);
    std::array<float, 7> out{}, inv{}, var{};
    const std::array<Operand<float>, 2> reads = {inv.data(), var.data()};
    CHECK_THROWS_MATCHES(find_step(theirs, "dbnvar")->in_float.run(out.data(), reads), Fault,
                         MessageMatches(ContainsSubstring("takes 1 tensors, where its step reads 2")));
}

TEST_CASE("override: unknown and duplicate values are refused") {
    const auto refused = [](const ExternalFunctions& steps) {
        Graph theirs = stepwise_graph(kNetwork, kRows);
        exercise::override_steps(theirs, steps);
    };
    const ExternalFunctions unknown = functions_of([](Steps& all) { all.add("dbnvarr", dbnvar<float>); });
    CHECK_THROWS_MATCHES(refused(unknown), InputError,
                         MessageMatches(ContainsSubstring("dbnvarr") && ContainsSubstring("the nearest is dbnvar")));
    const ExternalFunctions twice[] = {functions_of([](Steps& all) {
                                           all.add("dbnvar", dbnvar<float>);
                                           all.add("dbnvar", one_too_few<float>);
                                       }),
                                       functions_of([](Steps& all) {
                                           all.add("dbnvar", dbnvar<float>);
                                           all.add("dbnvar", dbnvar<double>);
                                           all.add("dbnvar", dbnvar<double>);
                                       })};
    for (const ExternalFunctions& functions : twice) {
        CHECK_THROWS_MATCHES(refused(functions), InputError,
                             MessageMatches(ContainsSubstring("two functions compute dbnvar")));
    }
}
