// Somebody else's numbers: what is taken, how, and what is refused.
#include "harness/given.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "harness/given_file.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using test::File;

namespace {

// first, first + 1, …
std::vector<float> counting(std::size_t elements, float first = 1) {
    std::vector<float> all;
    for (std::size_t i = 0; i < elements; ++i) {
        all.push_back(first + static_cast<float>(i));
    }
    return all;
}

// The matrix's columns, one after another: as (columns, rows) holds it.
template <class T>
std::vector<T> transposed(const std::vector<T>& matrix, std::size_t rows, std::size_t columns) {
    std::vector<T> all;
    for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i < rows; ++i) {
            all.push_back(matrix[i * columns + j]);
        }
    }
    return all;
}

// T·E = 6 inputs and 6 units: W1 is square. W2 is (6, 7). Nine rows.
const networks::Example kExample = networks::make(networks::small({6}), 9);

GivenSide side_of(const File& file) {
    return {stepwise_network<float>(kExample.config, kExample.rows), file.views(), "their.file"};
}

void check_refused(const File& file, const std::string& what) {
    CHECK_THROWS_MATCHES(side_of(file), InputError,
                         MessageMatches(StartsWith("their.file") && ContainsSubstring(what)));
}

// As it begins the example's step.
std::vector<View> begun(GivenSide& side) {
    side.load(kExample.state);
    side.run(kExample.batch(), 0.1F);
    return side.views();
}

void check_not_of_this_step(const File& file, const std::string& what) {
    GivenSide side = side_of(file);
    side.load(kExample.state);
    side.run(kExample.batch(), 0.1F);
    CHECK_THROWS_MATCHES(side.views(), InputError,
                         MessageMatches(StartsWith("their.file: " + what) && ContainsSubstring("compare --dump")));
}

std::vector<float> floats(const View* view) {
    REQUIRE(view != nullptr);
    REQUIRE(view->dtype == DType::float32);
    const auto* first = static_cast<const float*>(view->data);
    return {first, first + count(view->shape)};
}

std::vector<float> of_state(const std::string& name) {
    const std::span<const float> numbers = kExample.state[name];
    return {numbers.begin(), numbers.end()};
}

}  // namespace

TEST_CASE("given: what is there comes out under its name and shape, in the order of the steps, and nothing else") {
    File file;
    file.add("dC", {7, 2}, counting(14, -3)).add("h", {9, 6}, counting(54)).add("dW2", {6, 7}, counting(42, 0.5F));
    GivenSide side = side_of(file);
    CHECK(side.said().empty());
    const std::vector<View> views = begun(side);
    REQUIRE(views.size() == 3);
    CHECK(views[0].name == "h");
    CHECK(views[1].name == "dW2");
    CHECK(views[2].name == "dC");
    CHECK(views[1].shape == Shape{6, 7});
    CHECK(floats(&views[1]) == counting(42, 0.5F));
    CHECK(floats(&views[2]) == counting(14, -3));
}

TEST_CASE("given: a name that the network has not is refused with the nearest") {
    check_refused(File().add("dBnvar", {6}, counting(6)), "this network has no dBnvar; the nearest name is dbnvar ");
    check_refused(File().add("torch/dW1", {6, 6}, counting(36)), "this network has no torch/dW1");
    check_refused(File().add("h", {9, 6}, counting(54)).add("dw2", {6, 7}, counting(42)),
                  "no dw2; the nearest name is dW2");
    check_refused(File().add("rate", {}, counting(1)), "no rate");
}

TEST_CASE("given: another shape is refused, with the one it should be") {
    check_refused(File().add("db2", {8}, counting(8)), "db2 is (8), and should be (7)");
    check_refused(File().add("db2", {1, 7}, counting(7)), "db2 is (1, 7), and should be (7)");
    check_refused(File().add("dh", {6, 9}, counting(54)), "dh is (6, 9), and should be (9, 6)");  // no weight
    check_refused(File().add("dC", {2, 7}, counting(14)), "dC is (2, 7), and should be (7, 2)");
    check_refused(File().add("dW2", {42}, counting(42)), "dW2 is (42), and should be (6, 7)");
    check_refused(File().add("X", {9}, kExample.Y), "X is (9), and should be (9, 3)");
    check_refused(File().add("loss", {1}, counting(1)), "loss is (1), and should be ()");
}

TEST_CASE("given: characters are whole numbers, all else is not") {
    check_refused(File().add("X", {9, 3}, counting(27)), "X holds F32, and should be whole numbers (I64)");
    check_refused(File().add("Y", {9}, std::vector<double>(9, 1)), "Y holds F64, and should be whole numbers (I64)");
    check_refused(File().add("dW1", {6, 6}, std::vector<std::int64_t>(36, 1)),
                  "dW1 holds whole numbers (I64), and should be F32 or F64");
}

TEST_CASE("given: a file without tensors is refused") {
    check_refused(File(), "holds no tensors");
}

TEST_CASE("given: double is rounded to float, and that is said once") {
    const std::vector<double> numbers = {0.1, 1.0 / 3, -2e-8, 1, 16777217, 5e-46};
    GivenSide side =
        side_of(File().add("dbnvar", {6}, numbers).add("bnvar", {6}, numbers).add("db2", {7}, counting(7)));
    REQUIRE(side.said().size() == 1);
    CHECK_THAT(side.said()[0], ContainsSubstring("F64"));
    const std::vector<View> views = begun(side);
    CHECK(floats(find(views, "dbnvar")) == std::vector<float>{0.1F, 1.0F / 3, -2e-8F, 1, 16777216, 0});
    CHECK(floats(find(views, "db2")) == counting(7));
}

TEST_CASE("given: one weight that is (out, in) and not square tells how all of them are kept, the square ones too") {
    const std::vector<float> square = counting(36), wide = counting(42, -7), updated = counting(42, 100);
    File file;
    file.add("dW1", {6, 6}, transposed(square, 6, 6)).add("dh", {9, 6}, counting(54)).add("dC", {7, 2}, counting(14));
    SECTION("by a gradient") {
        file.add("dW2", {7, 6}, transposed(wide, 6, 7));
    }
    SECTION("by the weight itself") {
        file.add("W2", {7, 6}, transposed(of_state("W2"), 6, 7)).add("W1", {6, 6}, transposed(of_state("W1"), 6, 6));
    }
    SECTION("by what the update made of it, in double") {
        const std::vector<float> columns = transposed(updated, 6, 7);
        file.add("new_W2", {7, 6}, std::vector<double>(columns.begin(), columns.end()));
    }
    GivenSide side = side_of(file);
    REQUIRE_FALSE(side.said().empty());
    CHECK_THAT(side.said()[0], ContainsSubstring("(out, in)"));
    const std::vector<View> views = begun(side);  // and what is of the state is that of the step
    CHECK(floats(find(views, "dW1")) == square);
    CHECK(floats(find(views, "dh")) == counting(54));  // as it was: no weight
    CHECK(floats(find(views, "dC")) == counting(14));
    if (const View* dW2 = find(views, "dW2")) {
        CHECK(dW2->shape == Shape{6, 7});
        CHECK(floats(dW2) == wide);
    }
    if (const View* new_W2 = find(views, "new_W2")) {
        CHECK(new_W2->shape == Shape{6, 7});
        CHECK(floats(new_W2) == updated);
    }
}

TEST_CASE("given: a square weight alone is taken as it is") {
    GivenSide side = side_of(File().add("dW1", {6, 6}, counting(36)));
    CHECK(side.said().empty());
    const std::vector<View> views = begun(side);
    CHECK(floats(find(views, "dW1")) == counting(36));
}

TEST_CASE("given: weights kept in both ways are refused") {
    check_refused(File().add("dW2", {7, 6}, counting(42)).add("W2", {6, 7}, of_state("W2")),
                  "W2 is (6, 7) (in, out), while others are (out, in)");
    check_refused(File().add("W2", {6, 7}, of_state("W2")).add("new_W2", {7, 6}, counting(42)), "give all one way");
}

TEST_CASE("given: batch and parameters that are this step's are taken, others refused") {
    GivenSide side = side_of(File()
                                 .add("X", {9, 3}, kExample.X)
                                 .add("Y", {9}, kExample.Y)
                                 .add("W2", {6, 7}, of_state("W2"))
                                 .add("bnvar_running", {6}, of_state("bnvar_running"))
                                 .add("dW2", {6, 7}, counting(42)));
    const std::vector<View> views = begun(side);
    CHECK(views.size() == 3);  // characters are nobody's result
    CHECK(floats(find(views, "W2")) == of_state("W2"));

    std::vector<std::int64_t> X = kExample.X, Y = kExample.Y;
    X.back() = (X.back() + 1) % 7;
    Y.front() = (Y.front() + 1) % 7;
    check_not_of_this_step(File().add("X", {9, 3}, X), "X is not this step's batch");
    check_not_of_this_step(File().add("Y", {9}, Y), "Y is not this step's batch");
    for (const std::string name : {"C", "W1", "b1", "bngain", "bnmean_running"}) {
        std::vector<float> numbers = of_state(name);
        const auto spec = std::ranges::find(kExample.state.table(), name, &TensorSpec::name);
        GivenSide alone = side_of(File().add(name, spec->shape, numbers));
        const std::vector<View> given = begun(alone);
        CHECK(floats(find(given, name)) == numbers);
        numbers.back() = std::nextafter(numbers.back(), 9.0F);
        check_not_of_this_step(File().add(name, spec->shape, numbers), name + " is not what this step begins with");
    }
    // What the update makes is no part of what the step begins with.
    GivenSide updated = side_of(File().add("new_W2", {6, 7}, counting(42)));
    CHECK(begun(updated).size() == 1);
}
