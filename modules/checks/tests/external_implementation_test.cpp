// External values: what is taken, how, and what is refused.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "checks/external/external.h"
#include "checks/tests/external_file.h"
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

ExternalValues fitted(const File& file) {
    return fit_to(stepwise_graph(kExample.config, kExample.rows), file.views());
}

struct Taken {
    ExternalModel implementation;
    std::vector<std::string> notes;
};

Taken taken(const File& file) {
    ExternalValues values = fitted(file);
    REQUIRE(values.faults.empty());
    std::vector<std::string> notes = values.notes;
    return {ExternalModel(std::move(values), "their.file"), std::move(notes)};
}
ExternalModel implementation_of(const File& file) {
    return taken(file).implementation;
}

using Lines = std::vector<std::string>;

void check_faults(const File& file, const Lines& faults) {
    CHECK(fitted(file).faults == faults);
}

// As it begins the example's step.
std::vector<View> begun(ExternalModel& implementation) {
    implementation.load(kExample.state);
    implementation.run(kExample.batch(), 0.1F);
    return implementation.views();
}

void check_not_of_this_step(const File& file, const std::string& what) {
    ExternalModel implementation = implementation_of(file);
    implementation.load(kExample.state);
    implementation.run(kExample.batch(), 0.1F);
    CHECK_THROWS_MATCHES(implementation.views(), InputError,
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

TEST_CASE("external: what is there comes out under its name and shape, in the order of the steps, and nothing else") {
    File file;
    file.add("dC", {7, 2}, counting(14, -3)).add("h", {9, 6}, counting(54)).add("dW2", {6, 7}, counting(42, 0.5F));
    auto [implementation, notes] = taken(file);
    CHECK(notes.empty());
    const std::vector<View> views = begun(implementation);
    REQUIRE(views.size() == 3);
    CHECK(views[0].name == "h");
    CHECK(views[1].name == "dW2");
    CHECK(views[2].name == "dC");
    CHECK(views[1].shape == Shape{6, 7});
    CHECK(floats(&views[1]) == counting(42, 0.5F));
    CHECK(floats(&views[2]) == counting(14, -3));
}

TEST_CASE("external: names that the network does not have are left out, and that is said with what is near") {
    auto [implementation, notes] = taken(File()
                                             .add("dBnvar", {6}, counting(6))
                                             .add("my_extra", {5}, counting(5))
                                             .add("h", {9, 6}, counting(54))
                                             .add("layers.0.weight", {6, 6}, counting(36)));
    CHECK(notes == Lines{"left out, since this network has no dBnvar (dbnvar?), my_extra, layers.0.weight"});
    const std::vector<View> views = begun(implementation);
    REQUIRE(views.size() == 1);
    CHECK(views[0].name == "h");

    File many;
    for (int i = 0; i < 11; ++i) {
        many.add("torch/" + std::to_string(i), {1}, counting(1));
    }
    CHECK(taken(many.add("h", {9, 6}, counting(54))).notes ==
          Lines{"left out, since this network has no torch/0, torch/1, torch/2, torch/3, torch/4, torch/5, torch/6, "
                "torch/7 and 3 more"});
}

TEST_CASE("external: a file without a value of the network is refused") {
    check_faults(File(), {"holds no tensors; give some by their bare names, as dW1"});
    check_faults(File().add("dw2", {6, 7}, counting(42)),
                 {"this network has no dw2 (dW2?); byhand explain lists the names"});
    check_faults(File().add("rate", {}, counting(1)).add("Y", {9}, kExample.Y),
                 {"this network has no rate; byhand explain lists the names"});
    check_faults(File().add("Y", {9}, kExample.Y),
                 {"holds no tensors besides X and Y; give some by their bare names, as dW1"});
}

TEST_CASE("external: X.grad is dX") {
    auto [implementation, notes] = taken(File()
                                             .add("C.grad", {7, 2}, counting(14))
                                             .add("bnraw.grad", {9, 6}, counting(54, 3))
                                             .add("dW2", {6, 7}, counting(42)));
    CHECK(notes == Lines{"taken by another name: C.grad as dC, bnraw.grad as dbnraw"});
    const std::vector<View> views = begun(implementation);
    CHECK(views.size() == 3);
    CHECK(floats(find(views, "dC")) == counting(14));
    CHECK(floats(find(views, "dbnraw")) == counting(54, 3));
    // There is no gradient of these.
    CHECK(fitted(File().add("dW2.grad", {6, 7}, counting(42))).faults.size() == 1);
    CHECK(fitted(File().add(".grad", {6, 7}, counting(42))).faults.size() == 1);
    check_faults(File().add("dC", {7, 2}, counting(14)).add("C.grad", {7, 2}, counting(14)),
                 {"dC and C.grad are both dC; give one of them"});
}

TEST_CASE("external: axes of extent 1 may be missing or more, and that is said once") {
    auto [implementation, notes] = taken(File()
                                             .add("loss", {1}, counting(1))
                                             .add("dbngain", {1, 6}, counting(6))
                                             .add("counts_sum", {9, 1}, counting(9))
                                             .add("bnvar", {1, 6, 1, 1}, counting(6, 4))
                                             .add("X", {9, 1, 3}, kExample.X)
                                             .add("dh", {9, 6}, counting(54)));
    CHECK(notes == Lines{"taken without regard to axes of extent 1: loss (1) as (), dbngain (1, 6) as (6), counts_sum "
                         "(9, 1) as (9), bnvar (1, 6, 1, 1) as (6), X (9, 1, 3) as (9, 3)"});
    const std::vector<View> views = begun(implementation);
    CHECK(find(views, "loss")->shape.empty());
    CHECK(find(views, "dbngain")->shape == Shape{6});
    CHECK(floats(find(views, "counts_sum")) == counting(9));
    CHECK(floats(find(views, "bnvar")) == counting(6, 4));

    // One that the network has may be missing: of one unit's values.
    const networks::Example one = networks::make(networks::small({1}), 9);
    const ExternalValues values =
        fit_to(stepwise_graph(one.config, 9), File().add("h", {9}, counting(9)).add("dh", {1, 9}, counting(9)).views());
    CHECK(values.faults.empty());
    REQUIRE(values.tensors.size() == 2);
    CHECK(values.tensors[0].shape == Shape{9, 1});
    CHECK(values.tensors[1].shape == Shape{9, 1});
}

TEST_CASE("external: another shape is refused, with the one it should be") {
    check_faults(File().add("db2", {8}, counting(8)), {"db2 is (8), and should be (7)"});
    check_faults(File().add("db2", {7, 2}, counting(14)), {"db2 is (7, 2), and should be (7)"});
    check_faults(File().add("dh", {6, 9}, counting(54)), {"dh is (6, 9), and should be (9, 6)"});  // no weight
    check_faults(File().add("dC", {2, 7}, counting(14)), {"dC is (2, 7), and should be (7, 2)"});
    check_faults(File().add("dW2", {42}, counting(42)), {"dW2 is (42), and should be (6, 7)"});
    check_faults(File().add("X", {9}, kExample.Y), {"X is (9), and should be (9, 3)"});
    check_faults(File().add("loss", {2}, counting(2)), {"loss is (2), and should be ()"});
    check_faults(File().add("C.grad", {7}, counting(7)), {"C.grad is (7), and should be (7, 2)"});
}

TEST_CASE("external: numbers are looked at only where the shape is right") {
    const std::vector<View> nothing = {{"db2", {1'000'000'000}, DType::float64, nullptr},
                                       {"other", {1'000'000'000}, DType::float32, nullptr}};
    const ExternalValues values = fit_to(stepwise_graph(kExample.config, kExample.rows), nothing);
    CHECK(values.faults == Lines{"db2 is (1000000000), and should be (7)"});
}

TEST_CASE("external: characters are whole numbers, all else is not") {
    check_faults(File().add("X", {9, 3}, counting(27)).add("dh", {9, 6}, counting(54)),
                 {"X holds F32, and should be whole numbers (I64 or I32)"});
    check_faults(File().add("Y", {9}, std::vector<double>(9, 1)).add("dh", {9, 6}, counting(54)),
                 {"Y holds F64, and should be whole numbers (I64 or I32)"});
    check_faults(File().add("dW1", {6, 6}, std::vector<std::int64_t>(36, 1)),
                 {"dW1 holds whole numbers, and should be F32 or F64"});
}

TEST_CASE("external: all faults are reported, in the order of the file") {
    check_faults(File()
                     .add("db2", {8}, counting(8))
                     .add("h", {9, 6}, counting(54))
                     .add("X", {9, 3}, counting(27))
                     .add("dW1", {6, 6}, std::vector<std::int64_t>(36, 1))
                     .add("loss", {3}, counting(3)),
                 {"db2 is (8), and should be (7)", "X holds F32, and should be whole numbers (I64 or I32)",
                  "dW1 holds whole numbers, and should be F32 or F64", "loss is (3), and should be ()"});
}

TEST_CASE("external: double stays double, unless float holds all of it") {
    const std::vector<double> fine = {0.1, 1.0 / 3, -2e-8, 1, 16777217, 5e-46}, coarse = {0.5, 1, -3, 0, 0.25, 7};
    const auto dtype_of = [](ExternalModel& implementation, const std::string& name) {
        const std::vector<View> views = begun(implementation);
        return find(views, name)->dtype;
    };
    SECTION("forward values in double") {
        auto [implementation, notes] = taken(File()
                                                 .add("bnvar", {6}, fine)
                                                 .add("dbnvar", {6}, coarse)
                                                 .add("W2", {6, 7}, of_state("W2"))
                                                 .add("Y", {9}, kExample.Y));
        CHECK(implementation.in_double());
        REQUIRE(notes.size() == 1);
        CHECK_THAT(notes[0], StartsWith("F64, forward values too: judged by the limits of double"));
        CHECK(dtype_of(implementation, "bnvar") == DType::float64);
        CHECK(dtype_of(implementation, "dbnvar") ==
              DType::float32);  // float holds it: it may have been computed in float
        const std::vector<View> views = begun(implementation);
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(value_at(*find(views, "bnvar"), i) == fine[i]);
        }
    }
    SECTION("beside floats") {
        auto [implementation, notes] = taken(File().add("bnvar", {6}, fine).add("db2", {7}, counting(7)));
        CHECK_FALSE(implementation.in_double());
        REQUIRE(notes.size() == 1);
        CHECK_THAT(notes[0], StartsWith("F64 beside F32: "));
        CHECK(dtype_of(implementation, "bnvar") == DType::float64);
        CHECK(dtype_of(implementation, "db2") == DType::float32);
    }
    SECTION("gradients only") {
        auto [implementation, notes] = taken(File().add("dbnvar", {6}, fine));
        CHECK_FALSE(implementation.in_double());
        REQUIRE(notes.size() == 1);
        CHECK_THAT(notes[0], StartsWith("F64 without forward values in double: "));
    }
    SECTION("forward values that float holds tell nothing") {
        auto [implementation, notes] = taken(File().add("bnvar", {6}, coarse).add("dbnvar", {6}, fine));
        CHECK_FALSE(implementation.in_double());
    }
    SECTION("floats that were saved as double") {
        std::vector<double> with_nan = coarse;
        with_nan[2] = std::nan("");
        with_nan[3] = std::numeric_limits<double>::infinity();
        auto [implementation, notes] = taken(File().add("bnvar", {6}, coarse).add("dbnvar", {6}, with_nan));
        CHECK_FALSE(implementation.in_double());
        CHECK(notes.empty());
        CHECK(dtype_of(implementation, "bnvar") == DType::float32);
        CHECK(dtype_of(implementation, "dbnvar") == DType::float32);
    }
}

TEST_CASE("external: one weight of shape (out, in) that is not square decides the layout of all, square ones too") {
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
    auto [implementation, notes] = taken(file);
    REQUIRE_FALSE(notes.empty());
    CHECK_THAT(notes[0], ContainsSubstring("(out, in)"));
    const std::vector<View> views = begun(implementation);  // and what is of the state is that of the step
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

TEST_CASE("external: a square weight alone is taken as it is") {
    auto [implementation, notes] = taken(File().add("dW1", {6, 6}, counting(36)));
    CHECK(notes.empty());
    const std::vector<View> views = begun(implementation);
    CHECK(floats(find(views, "dW1")) == counting(36));
}

TEST_CASE("external: of weights kept in both ways the few are named first") {
    const std::vector<float> W2 = of_state("W2");
    check_faults(File().add("dW2", {7, 6}, counting(42)).add("W2", {6, 7}, W2),
                 {"W2 (6, 7) is (in, out), while dW2 (7, 6) is (out, in); give all one way"});
    check_faults(File().add("W2", {6, 7}, W2).add("new_W2", {6, 7}, W2).add("dW2", {7, 6}, counting(42)),
                 {"dW2 (7, 6) is (out, in), while W2 (6, 7), new_W2 (6, 7) are (in, out); give all one way"});
    check_faults(File().add("W2", {7, 6}, W2).add("new_W2", {7, 6}, W2).add("dW2", {6, 7}, counting(42)),
                 {"dW2 (6, 7) is (in, out), while W2 (7, 6), new_W2 (7, 6) are (out, in); give all one way"});
}

TEST_CASE("external: a weight with one row or one column does not decide the layout, and is not transposed") {
    // One unit: W1 is (6, 1), W2 (1, 7).
    const networks::Example one = networks::make(networks::small({1}), 9);
    const ExternalValues values = fit_to(
        stepwise_graph(one.config, 9), File().add("dW1", {1, 6}, counting(6)).add("dW2", {1, 7}, counting(7)).views());
    CHECK(values.faults.empty());
    CHECK(values.notes == Lines{"taken without regard to axes of extent 1: dW1 (1, 6) as (6, 1)"});
    REQUIRE(values.tensors.size() == 2);
    for (const ExternalTensor& tensor : values.tensors) {
        CHECK(std::get<std::vector<float>>(tensor.numbers) == counting(tensor.name == "dW1" ? 6 : 7));
    }
}

TEST_CASE("external: batch and parameters that are this step's are taken, others refused") {
    ExternalModel implementation = implementation_of(File()
                                                         .add("X", {9, 3}, kExample.X)
                                                         .add("Y", {9}, kExample.Y)
                                                         .add("W2", {6, 7}, of_state("W2"))
                                                         .add("bnvar_running", {6}, of_state("bnvar_running"))
                                                         .add("dW2", {6, 7}, counting(42)));
    const std::vector<View> views = begun(implementation);
    CHECK(views.size() == 3);  // characters are nobody's result
    CHECK(floats(find(views, "W2")) == of_state("W2"));

    std::vector<std::int64_t> X = kExample.X, Y = kExample.Y;
    X.back() = (X.back() + 1) % 7;
    Y.front() = (Y.front() + 1) % 7;
    check_not_of_this_step(File().add("X", {9, 3}, X).add("dW2", {6, 7}, counting(42)), "X is not this step's batch");
    check_not_of_this_step(File().add("Y", {9}, Y).add("dW2", {6, 7}, counting(42)), "Y is not this step's batch");
    for (const std::string name : {"C", "W1", "b1", "bngain", "bnmean_running"}) {
        std::vector<float> numbers = of_state(name);
        const auto spec = std::ranges::find(kExample.state.table(), name, &TensorSpec::name);
        ExternalModel single = implementation_of(File().add(name, spec->shape, numbers));
        const std::vector<View> given = begun(single);
        CHECK(floats(find(given, name)) == numbers);
        numbers.back() = std::nextafter(numbers.back(), 9.0F);
        check_not_of_this_step(File().add(name, spec->shape, numbers), name + " is not what this step begins with");
    }
    // What the update makes is no part of what the step begins with.
    ExternalModel updated = implementation_of(File().add("new_W2", {6, 7}, counting(42)));
    CHECK(begun(updated).size() == 1);
}
