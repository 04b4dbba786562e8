#include <ATen/ATen.h>  // before Catch2, whose CHECK it would replace with glog's

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "byhand/torch.h"
#include "library/kernels.h"
#include "library/torch_references.h"

using namespace byhand;
using namespace byhand::example;

namespace {

// The extents of x (n, k) and of W (k, m).
std::vector<std::size_t> of_product(const std::vector<Shape>& inputs) {
    return {inputs[0][0], inputs[0][1], inputs[1][1]};
}
std::vector<std::size_t> of_square(const std::vector<Shape>& inputs) {
    return {inputs[0][0]};
}

const std::vector<std::vector<Shape>> kNorms = {{{1, 3}, {3}, {3}}, {{7, 27}, {27}, {27}}, {{33, 100}, {100}, {100}}};
const std::vector<std::vector<Shape>> kLinears = {
    {{1, 1}, {1, 3}, {3}}, {{7, 5}, {5, 11}, {11}}, {{33, 17}, {17, 9}, {9}}};
const std::vector<std::vector<Shape>> kInt8 = {
    {{1, 1}, {1, 3}, {3}, {3}}, {{7, 5}, {5, 11}, {11}, {11}}, {{33, 17}, {17, 9}, {9}, {9}}};

// An example, what it should compute, and its mistakes.
struct Example {
    std::string name;
    std::function<Report(const Variant&)> run;
    std::vector<const char*> mistakes;
};

const std::vector<Example>& examples() {
    static const std::vector<Example> all = {
        {"layernorm",
         [](const Variant& v) {
             return check(
                 KERNEL(layernorm, v),
                 computes(reference::layernorm).seed(v.seed).inputs({"x", "gain", "bias"}).shapes_of_all(kNorms));
         },
         listed(kLayernormMistakes)},
        {"layernorm_backward",
         [](const Variant& v) {
             return check(KERNEL(layernorm_backward, v), is_vjp_of(reference::layernorm)
                                                             .seed(v.seed)
                                                             .inputs({"x", "gain", "bias"})
                                                             .wrt({0, 1, 2})
                                                             .reads({"dy", "x", "gain", "mean", "inverse"})
                                                             .with("mean", computed_by(reference::mean_of))
                                                             .with("inverse", computed_by(reference::inverse_of))
                                                             .shapes_of_all(kNorms));
         },
         listed(kLayernormBackwardMistakes)},
        {"causal_softmax",
         [](const Variant& v) {
             return check(
                 KERNEL(causal_softmax, v),
                 computes(reference::causal_softmax).seed(v.seed).shapes({{1, 1}, {7, 7}, {33, 33}}).sizes(of_square));
         },
         listed(kSoftmaxMistakes)},
        {"causal_softmax_backward",
         [](const Variant& v) {
             return check(KERNEL(causal_softmax_backward, v), is_vjp_of(reference::causal_softmax)
                                                                  .seed(v.seed)
                                                                  .reads({"dy", "y"})
                                                                  .shapes({{1, 1}, {7, 7}, {33, 33}})
                                                                  .sizes(of_square));
         },
         listed(kSoftmaxBackwardMistakes)},
        {"rotary_backward",
         [](const Variant& v) {
             return check(KERNEL(rotary_backward, v),
                          is_vjp_of(reference::rotary).seed(v.seed).reads({"dy"}).shapes({{1, 2}, {7, 6}, {33, 50}}));
         },
         listed(kRotaryMistakes)},
        {"linear_gelu",
         [](const Variant& v) {
             return check(KERNEL(linear_gelu, v), computes(reference::linear_gelu)
                                                      .seed(v.seed)
                                                      .inputs({"x", "W", "b"})
                                                      .shapes_of_all(kLinears)
                                                      .sizes(of_product));
         },
         listed(kGeluMistakes)},
        {"linear_gelu_backward",
         [](const Variant& v) {
             return check(KERNEL(linear_gelu_backward, v), is_vjp_of(reference::linear_gelu)
                                                               .seed(v.seed)
                                                               .inputs({"x", "W", "b"})
                                                               .wrt({0, 1, 2})
                                                               .shapes_of_all(kLinears)
                                                               .sizes(of_product));
         },
         listed(kGeluBackwardMistakes)},
        {"int8_matmul",
         [](const Variant& v) {
             return check(KERNEL(int8_matmul, v), computes(reference::int8_matmul)
                                                      .seed(v.seed)
                                                      .inputs({"x", "q", "scale", "zero"})
                                                      .integers("q", -128, 127)
                                                      .integers("zero", -9, 11)
                                                      .shapes_of_all(kInt8)
                                                      .sizes(of_product));
         },
         listed(kInt8Mistakes)}};
    return all;
}

}  // namespace

TEST_CASE("kernels: right ones agree") {
    const int order = GENERATE(0, 6);
    for (const Example& one : examples()) {
        const Report report = one.run({.order = order});
        INFO(one.name << ", order " << order << ": " << report.text());
        CHECK(report.agrees());
    }
}

TEST_CASE("kernels: right ones agree whatever the order of their sums and the inputs", "[long]") {
    const int order = GENERATE(range(0, kOrders));
    const std::uint64_t seed = GENERATE(1, 2);
    for (const Example& one : examples()) {
        const Report report = one.run({.order = order, .seed = seed});
        INFO(one.name << ", order " << order << ", seed " << seed << ": " << report.text());
        CHECK(report.agrees());
    }
}

TEST_CASE("kernels: each of 60 mistakes is found") {
    std::size_t mistakes = 0;
    for (const Example& one : examples()) {
        for (const char* mistake : one.mistakes) {
            const Report report = one.run({.mistake = mistake});
            INFO(one.name << ", " << mistake << ": " << report.text());
            CHECK_FALSE(report.agrees());
            CHECK(report.text().find("is wrong") != std::string::npos);
            ++mistakes;
        }
    }
    CHECK(mistakes == 60);
}
