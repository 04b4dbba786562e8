// Named tensors, and the detection of unwritten elements.
#include "base/tensors.h"

#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <stdexcept>
#include <variant>

#include "judge/owned.h"

using namespace byhand;

namespace {

const std::vector<TensorSpec> kTable = {{"a", {3, 5}}, {"s", {}}, {"b", {1}}, {"empty", {0, 7}}, {"c", {17}}};

}  // namespace

TEMPLATE_TEST_CASE("tensors: each starts on a cache line, has its size, and overlaps no other", "", float, double) {
    Tensors<TestType> t(kTable);
    for (const TensorSpec& spec : kTable) {
        INFO(spec.name);
        CHECK(t.contains(spec.name));
        CHECK(t[spec.name].size() == count(spec.shape));
        CHECK(reinterpret_cast<std::uintptr_t>(t[spec.name].data()) % 64 == 0);
    }
    for (const TensorSpec& spec : kTable) {
        const std::string& name = spec.name;
        std::fill(t[name].begin(), t[name].end(), TestType(name[0]));
    }
    for (const TensorSpec& spec : kTable) {
        for (const TestType x : t[spec.name]) {
            CHECK(x == TestType(spec.name[0]));
        }
    }
    CHECK(t["s"].size() == 1);  // a scalar is one number
    CHECK(t["empty"].empty());
}

TEMPLATE_TEST_CASE("tensors: duplicate and unknown names are refused", "", float, double) {
    CHECK_THROWS_AS(Tensors<TestType>({{"a", {3}}, {"b", {3}}, {"a", {5}}}), std::invalid_argument);
    Tensors<TestType> t(kTable);
    const Tensors<TestType>& read_only = t;
    CHECK(!t.contains("d"));
    CHECK(!t.contains(""));
    CHECK_THROWS_AS(t["d"], std::out_of_range);
    CHECK_THROWS_AS(read_only["d"], std::out_of_range);
    CHECK(Tensors<TestType>().table().empty());
}

TEMPLATE_TEST_CASE("tensors: unwritten elements are detected, through copies and moves, unlike results of arithmetic",
                   "", float, double) {
    Tensors<TestType> t(kTable);
    for (const TensorSpec& spec : kTable) {
        for (const TestType& x : t[spec.name]) {
            CHECK(is_unwritten(&x));
            CHECK(std::isnan(x));
        }
    }
    t["a"][4] = 2;
    CHECK(!is_unwritten(&t["a"][4]));

    Tensors<TestType> copy = t;
    CHECK(is_unwritten(&copy["a"][3]));
    CHECK(!is_unwritten(&copy["a"][4]));
    CHECK(copy["a"].data() != t["a"].data());
    Tensors<TestType> assigned;
    assigned = copy;
    CHECK(is_unwritten(&assigned["a"][3]));
    const Tensors<TestType> moved = std::move(assigned);
    CHECK(is_unwritten(&moved["a"][3]));

    // Results of arithmetic on them are NaNs with different bits.
    volatile TestType one = 1, zero = 0;
    const TestType sum = t["a"][0] + zero, product = t["a"][0] * one, quotient = one / t["a"][0];
    const TestType root = std::sqrt(t["a"][0]);
    const TestType negative = -sum, by_double = static_cast<TestType>(static_cast<double>(t["a"][0]) + 1);
    for (const TestType& x : {sum, product, quotient, root, negative, by_double}) {
        CHECK(std::isnan(x));
        CHECK(!is_unwritten(&x));
        CHECK(is_from_unwritten(&x));
    }
    const TestType quiet = std::numeric_limits<TestType>::quiet_NaN();
    for (const TestType& x : {quiet, one, static_cast<TestType>(quiet + one)}) {
        CHECK(!is_unwritten(&x));
        CHECK(!is_from_unwritten(&x));
    }
    CHECK(!is_from_unwritten(&t["a"][0]));

    t.clear();
    CHECK(is_unwritten(&t["a"][4]));
}

TEMPLATE_TEST_CASE("tensors: views show every tensor in order, with its type", "", float, double) {
    Tensors<TestType> t(kTable);
    t["a"][7] = TestType(1.5);
    const std::vector<View> views = t.views();
    REQUIRE(views.size() == kTable.size());
    for (std::size_t i = 0; i < views.size(); ++i) {
        CHECK(views[i].name == kTable[i].name);
        CHECK(views[i].shape == kTable[i].shape);
        CHECK(views[i].dtype == (sizeof(TestType) == 4 ? DType::float32 : DType::float64));
        CHECK(views[i].data == t[kTable[i].name].data());
    }
    CHECK(value_at(views[0], 7) == 1.5);
}

TEST_CASE("tensors: copy_into matches by name, converts, and refuses mismatches") {
    Tensors<float> from({{"b", {2}}, {"a", {3}}});
    std::fill(from["a"].begin(), from["a"].end(), 0.1F);
    std::fill(from["b"].begin(), from["b"].end(), 7.0F);
    Tensors<double> to({{"a", {3}}, {"x", {1}}, {"b", {2}}});
    copy_into(to, from);
    CHECK(to["a"][2] == static_cast<double>(0.1F));
    CHECK(to["b"][1] == 7);
    CHECK(is_unwritten(to["x"].data()));  // not in `from`: unchanged

    Tensors<float> lacks({{"a", {3}}}), differs({{"a", {3}}, {"b", {3}}});
    CHECK_THROWS_AS(copy_into(lacks, from), std::out_of_range);
    CHECK_THROWS_AS(copy_into(differs, from), std::invalid_argument);
}

TEST_CASE("tensors: put copies floats, doubles and indices, and replaces a tensor") {
    Tensors<double> values;
    {
        test::Owned<float> a{"a", {3}, {1.5F, -2, 0x1p-140F}};
        test::Owned<double> b{"b", {2, 1}, {0.1, -3}};
        const std::vector<std::int64_t> X = {4, 0, 7, 1};
        values.put(a.view());
        values.put(b.view());
        values.put(View{"X", {2, 2}, DType::int64, X.data()});
    }
    CHECK(values.copy_of("a") == std::vector<double>{1.5, -2, 0x1p-140});
    CHECK(values.copy_of("b") == std::vector<double>{0.1, -3});
    CHECK(std::ranges::equal(values.indices("X"), std::vector<std::int64_t>{4, 0, 7, 1}));
    CHECK(values.holds_indices("X"));
    CHECK_FALSE(values.holds_indices("a"));
    CHECK(values.elements() == 9);
    CHECK_THROWS_AS(values.indices("c"), std::out_of_range);
    CHECK_THROWS_AS(values.holds_indices("c"), std::out_of_range);
    CHECK_THROWS_AS(values["X"], std::bad_variant_access);
    CHECK_THROWS_AS(values.indices("a"), std::bad_variant_access);
    values.put({"none", {0}}, std::vector<std::int64_t>());
    CHECK(values.holds_indices("none"));

    values.put({"a", {2, 1}}, std::vector<float>{3, 4});
    CHECK_THROWS_AS(values.put({"a", {4}}, std::vector<double>{1, 2, 3}), std::invalid_argument);
    const std::vector<View> views = values.views();
    REQUIRE(views.size() == 4);
    CHECK(views[0].name == "a");
    CHECK(views[0].shape == Shape{2, 1});
    CHECK(views[0].dtype == DType::float64);
    CHECK(value_at(views[0], 1) == 4);
    CHECK(views[2].dtype == DType::int64);
    CHECK(value_at(views[2], 2) == 7);
}
