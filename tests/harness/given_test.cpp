// Somebody else's numbers: what is taken, how, and how they are judged.
#include "harness/given.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "harness/hand_made.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using test::FakeAnswers;

namespace {

// Tensors as a file would hold them.
class File {
public:
    template <class T>
    File& add(const std::string& name, const Shape& shape, const std::vector<T>& numbers) {
        std::vector<std::byte>& bytes = bytes_.emplace_back(numbers.size() * sizeof(T));
        std::memcpy(bytes.data(), numbers.data(), bytes.size());
        const DType dtype = std::is_same_v<T, float>    ? DType::float32
                            : std::is_same_v<T, double> ? DType::float64
                                                        : DType::int64;
        views_.push_back({name, shape, dtype, bytes.data()});
        return *this;
    }
    const std::vector<View>& views() const { return views_; }

private:
    std::deque<std::vector<std::byte>> bytes_;
    std::vector<View> views_;
};

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
    CHECK(floats(find(begun(side), "dW1")) == counting(36));
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
        CHECK(floats(find(begun(*std::make_unique<GivenSide>(side_of(File().add(name, spec->shape, numbers)))),
                          name)) == numbers);
        numbers.back() = std::nextafter(numbers.back(), 9.0F);
        check_not_of_this_step(File().add(name, spec->shape, numbers), name + " is not what this step begins with");
    }
    // What the update makes is no part of what the step begins with.
    GivenSide updated = side_of(File().add("new_W2", {6, 7}, counting(42)));
    CHECK(begun(updated).size() == 1);
}

// ---- how they are judged ----

namespace {

constexpr std::size_t kElements = 7;
constexpr double kHalfAsMuchAgain = 1.5;

template <class T>
void square(T* y, const T* x) {
    test::square(y, x, kElements);
}
template <class T>
void scale(T* y, const T* x) {
    test::times(y, x, kElements, kHalfAsMuchAgain);
}
template <class T>
void product(T* y, const T* a, const T* b) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = a[i] * b[i];
    }
}
template <class T>
void by_index(T* y, const T* a, const std::int64_t* indices) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = a[static_cast<std::size_t>(indices[i])];
    }
}

// y ← x, 1.5 times; dy ← y, its square; dx ← dy, y, their product; dz ← dx, 1.5 times; dg ← dy by the indices X.
template <class T>
StepNetwork<T> small_chain() {
    StepNetwork<T> network = test::empty_network<T>();
    network.forward.add("y", {kElements}, {"x"}, "scale", scale<T>);
    network.backward.add("dy", {kElements}, {"y"}, "square", square<T>);
    network.backward.add("dx", {kElements}, {"dy", "y"}, "product", product<T>);
    network.backward.add("dz", {kElements}, {"dx"}, "scale", scale<T>);
    network.backward.add("dg", {kElements}, {"dy", "X"}, "by_index", by_index<T>);
    return network;
}

// In one step from y: dx ← y, its square. (Another formula than above, so that it shows which was taken.)
template <class T>
StepNetwork<T> collapsed_chain() {
    StepNetwork<T> network = test::empty_network<T>();
    network.backward.add("dx", {kElements}, {"y"}, "square", square<T>);
    return network;
}

using Row = std::vector<float>;
const Row kX = {0.5F, -1.25F, 3, 0.0625F, -7, 0.3F, 11};
const std::vector<std::int64_t> kPlaces = {6, 6, 0, 3, 1, 5, 2};

Row scaled(Row row) {
    std::ranges::for_each(row, [](float& x) { x *= static_cast<float>(kHalfAsMuchAgain); });
    return row;
}
Row times(Row a, const Row& b) {
    std::ranges::transform(a, b, a.begin(), std::multiplies<>());
    return a;
}
Row squared(const Row& row) {
    return times(row, row);
}
Row picked(const Row& row) {
    Row all;
    for (const std::int64_t place : kPlaces) {
        all.push_back(row[static_cast<std::size_t>(place)]);
    }
    return all;
}

struct Chain {
    FakeAnswers stepwise, collapsed;
    Limits limits;
    Row y = scaled(kX), dy = squared(y), dx = times(dy, y), dz = scaled(dx), dg = picked(dy);  // all right

    Chain() {
        const TensorSpec x{"x", {kElements}}, sy{"y", {kElements}}, sdy{"dy", {kElements}}, sdx{"dx", {kElements}},
            X{"X", {kElements}};
        const auto one_and_a_half = [](double v) { return kHalfAsMuchAgain * v; };
        const auto to_square = [](double v) { return v * v; };
        stepwise.add("y", {x}, test::element_by_element("x", one_and_a_half));
        stepwise.add("dy", {sy}, test::element_by_element("y", to_square));
        stepwise.add("dx", {sdy, sy}, [](const std::vector<View>& values) {
            std::vector<double> made = test::numbers(values, "dy");
            const std::vector<double> by = test::numbers(values, "y");
            std::ranges::transform(made, by, made.begin(), std::multiplies<>());
            return made;
        });
        stepwise.add("dz", {sdx}, test::element_by_element("dx", one_and_a_half));
        stepwise.add("dg", {sdy, X}, [](const std::vector<View>& values) {
            const std::vector<double> from = test::numbers(values, "dy");
            std::vector<double> made;
            for (const double place : test::numbers(values, "X")) {
                made.push_back(from[static_cast<std::size_t>(place)]);
            }
            return made;
        });
        collapsed.add("dx", {sy}, test::element_by_element("y", to_square));
    }

    // Of the reference x and y are given, and gradients that nobody's answer may depend on.
    std::vector<StepAlone> judged(const std::vector<std::pair<std::string, Row>>& given) const {
        File file;
        for (const auto& [name, numbers] : given) {
            file.add(name, {kElements}, numbers);
        }
        Values reference;
        reference.put({"x", {kElements}}, kX);
        reference.put({"y", {kElements}}, scaled(kX));
        reference.put({"X", {kElements}}, kPlaces);
        for (const std::string name : {"dy", "dx", "dz", "dg"}) {
            reference.put({name, {kElements}}, Row(kElements, 1e6F));
        }
        const std::vector<Form> forms = {{small_chain<Rounded>(), &stepwise}, {collapsed_chain<Rounded>(), &collapsed}};
        return judge_given(file.views(), small_chain<float>(), forms, reference, limits);
    }
};

std::vector<std::string> names(const std::vector<StepAlone>& all, bool only_wrong = false) {
    std::vector<std::string> made;
    for (const StepAlone& one : all) {
        if (!only_wrong || one.wrong()) {
            made.push_back(one.makes);
        }
    }
    return made;
}
std::vector<std::string> wrong(const std::vector<StepAlone>& all) {
    return names(all, true);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("judge_given: right ones are right, each by its own step") {
    Chain c;
    const auto all = c.judged({{"y", c.y}, {"dy", c.dy}, {"dx", c.dx}, {"dz", c.dz}, {"dg", c.dg}});
    CHECK(names(all) == Names{"y", "dy", "dx", "dz", "dg"});
    CHECK(wrong(all).empty());
    for (const StepAlone& one : all) {
        INFO(one.makes);
        CHECK(one.verdict() == one.real.verdict);
        CHECK(agrees(one.verdict()));
        CHECK(one.probe.verdict == Verdict::not_given);
        CHECK(one.probe_double.verdict == Verdict::not_given);
        CHECK(one.shape == Shape{kElements});
        CHECK(one.real.scale > 1);
        CHECK(one.real.used < 1);
    }
    CHECK(all[2].function == "product");
    CHECK(all[2].reads == Names{"dy", "y"});
}

TEST_CASE("judge_given: a wrong one is a mismatch, with the place and a hint") {
    Chain c;
    Row twice = c.dx, one_off = c.dx;
    std::ranges::for_each(twice, [](float& x) { x *= 2; });
    const auto doubled = c.judged({{"dy", c.dy}, {"dx", twice}});
    CHECK(wrong(doubled) == Names{"dx"});
    CHECK(doubled[1].real.verdict == Verdict::mismatch);
    CHECK_THAT(doubled[1].real.hint, ContainsSubstring("twice the right answer"));
    for (int floats = 0; floats < 5; ++floats) {  // where a product has half of one, in other words two
        one_off[3] = std::nextafter(one_off[3], 1.0F);
    }
    const auto off = c.judged({{"dy", c.dy}, {"y", c.y}, {"dx", one_off}});
    CHECK(wrong(off) == Names{"dx"});
    CHECK(off[2].real.worst == 3);
    Row nan = c.dx;
    nan[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", nan}})) == Names{"dx"});
}

TEST_CASE("judge_given: the same in other words, which round once or twice more, is right") {
    Chain c;
    Row in_other_words = c.dx;
    for (float& x : in_other_words) {
        x = std::nextafter(x, 0.0F);
    }
    CHECK(wrong(c.judged({{"y", c.y}, {"dy", c.dy}, {"dx", in_other_words}})).empty());
    // But what nobody rounds has nothing to spare.
    Row places = c.dg;
    places[1] = std::nextafter(places[1], 0.0F);
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dg", places}})) == Names{"dg"});
}

TEST_CASE("judge_given: what is rightly computed from a wrong value is not wrong") {
    Chain c;
    Row bad = c.dy;
    bad[2] *= 1.25F;
    const auto from_it = c.judged({{"dy", bad}, {"dx", times(bad, c.y)}, {"dg", picked(bad)}});
    CHECK(names(from_it) == Names{"dy", "dx", "dg"});
    CHECK(wrong(from_it) == Names{"dy"});
    // And what is computed from the right one, beside a wrong one in the file, is.
    CHECK(wrong(c.judged({{"dy", bad}, {"dx", c.dx}})) == Names{"dy", "dx"});
    // Forward values too: those that are given count, not the reference's.
    Row y = c.y;
    y[4] += 0.5F;
    CHECK(wrong(c.judged({{"y", y}, {"dy", squared(y)}})) == Names{"y"});
    CHECK(wrong(c.judged({{"y", y}, {"dy", c.dy}})) == Names{"y", "dy"});
}

TEST_CASE("judge_given: forward values that are not given are the reference's, and may be off by their limit") {
    Chain c;
    Row near = c.y, far = c.y;
    for (std::size_t i = 0; i < kElements; ++i) {
        near[i] *= 1 + 0.9e-4F;
        far[i] *= 1 + 3e-4F;
    }
    CHECK(wrong(c.judged({{"dy", squared(near)}})) == Names{"dy"});  // without a limit
    for (const float y : c.y) {
        c.limits["y"].push_back(1e-4 * std::abs(static_cast<double>(y)));
    }
    CHECK(names(c.judged({{"dy", squared(near)}})) == Names{"dy"});
    CHECK(wrong(c.judged({{"dy", squared(near)}})).empty());
    CHECK(wrong(c.judged({{"dy", squared(far)}})) == Names{"dy"});
    // Given, it has nothing to spare.
    CHECK(wrong(c.judged({{"y", c.y}, {"dy", squared(near)}})) == Names{"dy"});
}

TEST_CASE("judge_given: where a limit says nothing, nothing is said") {
    Chain c;
    for (const float y : c.y) {
        c.limits["y"].push_back(0.02 * std::abs(static_cast<double>(y)));
    }
    CHECK(c.judged({{"dy", c.dy}}).empty());
    CHECK(names(c.judged({{"y", c.y}, {"dy", c.dy}})) == Names{"y", "dy"});
}

TEST_CASE("judge_given: a gradient that is read and not given leaves no verdict") {
    Chain c;
    CHECK(c.judged({{"dz", c.dz}}).empty());
    CHECK(c.judged({{"dg", Row(kElements)}}).empty());
    CHECK(names(c.judged({{"dx", c.dx}, {"dz", c.dz}}), true) == Names{"dx"});  // by the collapsed form; dz by dx
}

TEST_CASE("judge_given: the collapsed form is taken where only its reads are there") {
    Chain c;
    const Row collapsed = squared(c.y);
    const auto alone = c.judged({{"dx", collapsed}});
    REQUIRE(names(alone) == Names{"dx"});
    CHECK_FALSE(alone[0].wrong());
    CHECK(alone[0].reads == Names{"y"});
    CHECK(wrong(c.judged({{"dx", c.dx}})) == Names{"dx"});
    // With dy there, it is judged by dy.
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", collapsed}})) == Names{"dx"});
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", c.dx}})).empty());
}
