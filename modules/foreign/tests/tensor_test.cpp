// Tensors with checked accesses.
#include "exercise/tensor.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

using byhand::exercise::Fault;
using byhand::exercise::Tensor;
using Catch::Matchers::Message;

TEST_CASE("tensor: an element is read and written at its row and column") {
    std::vector<float> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const Tensor<float> x("x", {5, 3}, numbers.data());
    CHECK(x(0, 0) == 0);
    CHECK(x(4, 1) == 13);
    x(2, 1) += 0.5F;
    CHECK(numbers[7] == 7.5F);
    CHECK(x.size(0) == 5);
    CHECK(x.size(1) == 3);
    CHECK(x.count() == 15);
    CHECK(std::string(x.name()) == "x");
    CHECK(x.data() == numbers.data());

    const Tensor<const double> scalar("loss", {}, std::vector<double>{3.25}.data());
    CHECK(scalar.count() == 1);
    std::vector<std::int64_t> indices = {4, 0, 2, 1, 3, 0};
    const Tensor<const std::int64_t> X("X", {2, 3}, indices.data());
    CHECK(X(1, 0) == 1);
    const Tensor<float> emb("demb", {1, 5, 3}, numbers.data());
    CHECK(emb(0, 3, 2) == 11);
}

TEST_CASE("tensor: an element that does not exist is reported, and nothing is accessed") {
    std::vector<float> numbers(6, 1);
    const Tensor<float> x("dprobs", {2, 3}, numbers.data());
    CHECK_THROWS_MATCHES(x(2, 0), Fault, Message("accesses dprobs(2, 0), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(0, 3) = 7, Fault, Message("accesses dprobs(0, 3), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(-1, 2), Fault, Message("accesses dprobs(-1, 2), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(1), Fault, Message("accesses dprobs(1), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(0, 0, 0), Fault, Message("accesses dprobs(0, 0, 0), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(), Fault, Message("accesses dprobs(), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(0, std::size_t{0} - 1), Fault,
                         Message("accesses dprobs(0, -1), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x(3, -1, 1234567890123, 0), Fault,
                         Message("accesses dprobs(3, -1, 1234567890123, 0), out of bounds: dprobs is 2 × 3"));
    CHECK_THROWS_MATCHES(x.size(2), Fault, Message("asks for size(2) of dprobs, which is (2, 3)"));
    CHECK_THROWS_MATCHES(x.size(-1), Fault, Message("asks for size(-1) of dprobs, which is (2, 3)"));
    CHECK(numbers == std::vector<float>(6, 1));
}

TEST_CASE("tensor: extents are signed: quotients and differences of them are not huge numbers") {
    std::vector<float> numbers(6);
    const Tensor<float> x("x", {2, 3}, numbers.data());
    static_assert(std::is_signed_v<decltype(x.size(0))> && std::is_signed_v<decltype(x.count())>);
    CHECK(static_cast<double>(-1 / x.size(0)) == 0);
    CHECK(static_cast<double>(x.size(0) - x.size(1)) == -1);
}

TEST_CASE("fault: from a text of any type, cut if it is too long") {
    CHECK(std::string(Fault("is given three").what()) == "is given three");
    CHECK(std::string(Fault(std::string("is ") + "given").what()) == "is given");
    CHECK(std::string(Fault(std::string(2000, 'x')).what()) == std::string(511, 'x'));
    const std::ptrdiff_t least = std::numeric_limits<std::ptrdiff_t>::min();
    CHECK(std::string(Fault("").add(least).add(" ").add(std::ptrdiff_t{0}).what()) == "-9223372036854775808 0");
}
