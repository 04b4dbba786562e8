#include "harness/isolated/draws.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace byhand;

namespace {

constexpr std::size_t kRows = 29, kColumns = 17, kVocabulary = 11;
const std::vector<TensorSpec> kSpecs = {
    {"x", {kRows, kColumns}}, {"h", {kRows, 3}}, {"v", {kColumns}}, {"X", {kRows, 2}}, {"Y", {kRows}}};
const std::map<std::string, ValueRange> kRanges = {{"h", {-1, 1}}, {"v", {.low = 0}}};

Tensors<double> drawn(const Draw& how, std::uint64_t seed = 1) {
    return draw(kSpecs, kRanges, how, kVocabulary, seed);
}

std::vector<double> row(const Tensors<double>& values, std::size_t i) {
    const double* from = values["x"].data() + i * kColumns;
    return {from, from + kColumns};
}

bool has(std::span<const double> numbers, double x) {
    return std::ranges::any_of(numbers, [x](double y) { return y == x && std::signbit(x) == std::signbit(y); });
}

}  // namespace

TEST_CASE("draws: random magnitudes lie from 1/16 to 1, have either sign, and are the same for the same seed") {
    const Tensors<double> values = drawn({});
    std::set<double> seen;
    for (const double x : values["x"]) {
        CHECK(std::abs(x) >= 1.0F / 16);
        CHECK(std::abs(x) <= 1);
        seen.insert(std::abs(x));
    }
    CHECK(seen.size() == kRows * kColumns);
    CHECK(std::ranges::any_of(values["x"], [](double x) { return x < 0; }));
    CHECK(std::ranges::any_of(values["x"], [](double x) { return x > 0; }));
    CHECK(values.copy_of("x") == drawn({}).copy_of("x"));
    CHECK(values.copy_of("x") != drawn({}, 2).copy_of("x"));
}

TEST_CASE("draws: every way of drawing keeps within the ranges, and makes finite numbers") {
    for (const Drawn how :
         {Drawn::random, Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::close, Drawn::octaves,
          Drawn::all_octaves, Drawn::differences, Drawn::all_differences, Drawn::special, Drawn::lines, Drawn::every,
          Drawn::first, Drawn::last, Drawn::first_in_row, Drawn::last_in_row}) {
        INFO(describe({how}));
        const Tensors<double> values = drawn({how});
        CHECK(std::ranges::all_of(values["x"], [](double x) { return std::isfinite(x); }));
        CHECK(std::ranges::all_of(values["h"], [](double x) { return std::abs(x) <= 1; }));
        CHECK(std::ranges::all_of(values["v"], [](double x) { return x >= 0 && std::isfinite(x); }));
        for (const char* name : {"X", "Y"}) {
            CHECK(std::ranges::all_of(values.indices(name), [](std::int64_t index) {
                return index >= 0 && index < std::int64_t{kVocabulary};
            }));
        }
    }
}

TEST_CASE("draws: scales") {
    const auto largest = [](const Tensors<double>& values) {
        return std::abs(*std::ranges::max_element(values["x"], {}, [](double x) { return std::abs(x); }));
    };
    CHECK(largest(drawn({Drawn::small})) <= 0x1p-20F);
    CHECK(largest(drawn({Drawn::large})) > 0x1p19F);
    CHECK(largest(drawn({Drawn::minute})) <= 0x1p-100F);
    CHECK(largest(drawn({Drawn::vast})) > 0x1p39F);
    CHECK(largest(drawn({Drawn::huge})) > 0x1p59);
    CHECK(largest(drawn({Drawn::enormous})) > 0x1p117);
    CHECK(largest(drawn({Drawn::octaves})) > 0x1p10F);
    CHECK(largest(drawn({Drawn::all_octaves})) > 0x1p40F);
    const Tensors<double> enormous = drawn({Drawn::enormous});
    const std::vector<double> negative = row(enormous, 0), other = row(enormous, 1);
    CHECK(*std::ranges::max_element(negative) < -1e34);
    CHECK(*std::ranges::max_element(other) > 0);
}

TEST_CASE("draws: special values are zeros of both signs, subnormal numbers, and the ends of a range") {
    const Tensors<double> values = drawn({Drawn::special});
    CHECK(has(values["x"], 0.0F));
    CHECK(has(values["x"], -0.0F));
    CHECK(std::ranges::any_of(values["x"], [](double x) { return x != 0 && std::abs(x) < 0x1p-126; }));
    const std::span<const double> h = values["h"];
    CHECK(has(h, 1));
    CHECK(has(h, -1));
    CHECK(has(h, std::nextafter(1.0F, 0.0F)));
    CHECK(has(h, std::nextafter(-1.0F, 0.0F)));
}

TEST_CASE("draws: a value with fewer elements than there are special numbers takes them in turn") {
    const ValueRange range{.low = 0};
    const std::size_t all = special_numbers(range);
    std::multiset<double> seen;
    for (std::size_t from = 0; from < all; from += 7) {
        const Tensors<double> values = draw({{"v", {7}}}, {{"v", range}}, {Drawn::special, "v", from}, kVocabulary, 1);
        seen.insert(values["v"].begin(), values["v"].end());
    }
    const Tensors<double> whole = draw({{"v", {all}}}, {{"v", range}}, {Drawn::special, "v"}, kVocabulary, 1);
    CHECK(std::set(seen.begin(), seen.end()) == std::set(whole["v"].begin(), whole["v"].end()));
    CHECK(std::set(seen.begin(), seen.end()).size() > 20);
}

TEST_CASE("draws: close values differ by millionths, in all values alike") {
    const Tensors<double> values = drawn({Drawn::close});
    for (const double x : values["x"]) {
        CHECK(std::abs(x - 1000) <= 0.001F);
    }
    CHECK(std::set(values["x"].begin(), values["x"].end()).size() > 3);
    CHECK(std::abs(values["v"][0] - values["x"][0]) <= 0.002F);
}

// Shapes of 27 elements and more, of one axis to five.
const std::vector<Shape> kShapes = {{27}, {9, 3}, {3, 9}, {7, 27}, {1, 128}, {2, 3, 7}, {2, 4, 5, 6}, {3, 2, 1, 4, 5}};

// The values of an array of this shape in all draws that take turns.
std::vector<std::vector<double>> in_turn(const Draw& how, const Shape& shape) {
    std::vector<std::vector<double>> all;
    for (const Draw& one : each_in_turn(how, shape, 16)) {
        all.push_back(draw({{"x", shape}}, {}, one, 1, 1).copy_of("x"));
    }
    return all;
}

// Element i of line l along the axis, counted from the last.
double at(const std::vector<double>& numbers, const Shape& shape, std::size_t axis, std::size_t l, std::size_t i) {
    const auto last = shape.end() - static_cast<std::ptrdiff_t>(axis);
    const std::size_t width = *(last - 1), stride = count(Shape(last, shape.end()));
    return numbers[l / stride * stride * width + l % stride + i * stride];
}

// Each line along each axis of more than one element.
template <class Visit>
void for_each_line(const Shape& shape, Drawn how, Visit visit) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const std::size_t width = shape[shape.size() - 1 - axis];
        for (const std::vector<double>& numbers : in_turn({.how = how, .axis = axis}, shape)) {
            for (std::size_t l = 0; l < count(shape) / width; ++l) {
                std::vector<double> line(width);
                for (std::size_t i = 0; i < width; ++i) {
                    line[i] = at(numbers, shape, axis, l, i);
                }
                visit(axis, line);
            }
        }
    }
}

TEST_CASE("draws: every binary exponent from -10 to 10 and from -40 to 40 occurs, on both signs, in every shape") {
    for (const Shape& shape : kShapes) {
        for (const auto& [how, high] : {std::pair(Drawn::octaves, 10), std::pair(Drawn::all_octaves, 40)}) {
            std::set<std::pair<int, bool>> seen;
            for (const std::vector<double>& numbers : in_turn({.how = how}, shape)) {
                for (const double x : numbers) {
                    seen.emplace(std::ilogb(x), x < 0);
                }
            }
            INFO(to_string(shape) << " " << describe({how}));
            CHECK(seen.size() == 2 * (2 * static_cast<std::size_t>(high) + 1));
            CHECK(seen.begin()->first == -high);
            CHECK(seen.rbegin()->first == high);
        }
    }
}

TEST_CASE("draws: lines along every axis differ from their maximum, and minimum, by every binary exponent") {
    for (const Shape& shape : kShapes) {
        for (const auto& [how, high] : {std::pair(Drawn::differences, 10), std::pair(Drawn::all_differences, 40)}) {
            std::map<std::size_t, std::set<std::pair<int, bool>>> seen;  // by axis
            for_each_line(shape, how, [&](std::size_t axis, const std::vector<double>& line) {
                const auto [low, top] = std::ranges::minmax(line);
                for (const double x : line) {
                    const double below = top - x, above = x - low;
                    if (below > 0) {
                        seen[axis].emplace(std::ilogb(below), false);
                    }
                    if (above > 0) {
                        seen[axis].emplace(std::ilogb(above), true);
                    }
                }
            });
            for (std::size_t axis = 0; axis < shape.size(); ++axis) {
                INFO(to_string(shape) << " " << describe({.how = how, .axis = axis}));
                for (int exponent = -high; exponent <= high && shape[shape.size() - 1 - axis] > 1; ++exponent) {
                    CHECK(seen[axis].contains({exponent, false}));
                    CHECK(seen[axis].contains({exponent, true}));
                }
            }
        }
    }
}

TEST_CASE("draws: lines along every axis are of every kind") {
    using Line = std::vector<double>;
    const auto top = [](const Line& line) { return *std::ranges::max_element(line); };
    const auto zeros = [](const Line& line) { return static_cast<std::size_t>(std::ranges::count(line, 0.0)); };
    const std::vector<std::pair<const char*, std::function<bool(const Line&)>>> kinds = {
        {"all negative", [&](const Line& line) { return top(line) < 0; }},
        {"in the millions", [&](const Line& line) { return top(line) < -1e6; }},
        {"all positive", [](const Line& line) { return std::ranges::min(line) > 0; }},
        {"all equal", [&](const Line& line) { return top(line) == std::ranges::min(line) && line[0] != 0; }},
        {"one-hot", [&](const Line& line) { return zeros(line) == line.size() - 1 && top(line) == 1; }},
        {"zero", [&](const Line& line) { return zeros(line) == line.size(); }},
        {"ties", [&](const Line& line) { return std::ranges::count(line, top(line)) == 2; }},
        {"negative ties", [&](const Line& line) { return top(line) < 0 && std::ranges::count(line, top(line)) == 2; }},
        {"ascending", [](const Line& line) { return std::ranges::is_sorted(line) && line.front() < line.back(); }},
        {"descending",
         [](const Line& line) { return std::ranges::is_sorted(line, std::greater<>()) && line.front() > line.back(); }},
        {"one huge", [&](const Line& line) { return top(line) > 100 && std::ranges::count(line, top(line)) == 1; }}};
    for (const Shape& shape : kShapes) {
        std::map<std::size_t, std::set<std::string>> seen;  // by axis
        for_each_line(shape, Drawn::lines, [&](std::size_t axis, const Line& line) {
            for (const auto& [name, holds] : kinds) {
                if (holds(line)) {
                    seen[axis].insert(name);
                }
            }
        });
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            INFO(to_string(shape) << ", axis " << axis << " from the last");
            CHECK((shape[shape.size() - 1 - axis] == 1 || seen[axis].size() == kinds.size()));
        }
    }
}

TEST_CASE("draws: indices take each class in turn, only the first, or only the last") {
    const Tensors<double> in_turn = drawn({Drawn::every, "Y", 5});
    const std::span<const std::int64_t> every = in_turn.indices("Y");
    CHECK(every[0] == 5);
    CHECK(std::set(every.begin(), every.end()).size() == kVocabulary);
    const auto all = [](std::span<const std::int64_t> indices, std::int64_t index) {
        return std::ranges::all_of(indices, [index](std::int64_t one) { return one == index; });
    };
    CHECK(all(drawn({Drawn::first, "X"}).indices("X"), 0));
    CHECK(all(drawn({Drawn::last, "X"}).indices("X"), kVocabulary - 1));
}

TEST_CASE("draws: an index is in the first, a middle or the last row only") {
    for (const auto& [how, index] : {std::pair(Drawn::first_in_row, 0), {Drawn::last_in_row, int{kVocabulary} - 1}}) {
        for (const std::size_t turn : {0U, 1U, 2U}) {
            const Tensors<double> values = drawn({how, "X", turn});
            const std::span<const std::int64_t> X = values.indices("X");
            const std::size_t row = turn * (kRows - 1) / 2;
            for (std::size_t i = 0; i < X.size(); ++i) {
                CHECK((X[i] == index) == (i / 2 == row));
            }
        }
    }
    CHECK(describe({Drawn::last_in_row, "Y", 2}) == "the last index only in the last row in Y");
}

TEST_CASE("draws: a draw can be limited to one value, the others being random") {
    const Tensors<double> values = drawn({Drawn::large, "v"});
    CHECK(*std::ranges::max_element(values["v"]) > 0x1p19F);
    CHECK(std::ranges::all_of(values["x"], [](double x) { return std::abs(x) <= 1; }));
    CHECK(describe({Drawn::large, "v"}) == "values around 1e6 in v");
}

TEST_CASE("draws: digits that a float has no room for leave each number next to the same float") {
    const std::vector<float> floats = {
        0, -0.0F, 1, -0.5F, 1.25F, 0.1F, -0.3F, 0.1F, 0x1.fffffep-1F, 0x1.fffffep127F, 0x1.234568p-127F};
    Tensors<double> values;
    values.put({"a", {floats.size()}}, floats);
    values.put({"X", {1}}, std::vector<std::int64_t>{1});
    const Tensors<double> doubles = with_digits_of_doubles(values);
    CHECK(std::ranges::equal(doubles.indices("X"), values.indices("X")));
    const std::span<const double> numbers = doubles["a"];
    REQUIRE(numbers.size() == floats.size());
    for (std::size_t i = 0; i < floats.size(); ++i) {
        CAPTURE(i, floats[i], numbers[i]);
        const auto before = static_cast<double>(floats[i]);
        const bool stays = i < 5 || i == 10;  // of few digits, or subnormal
        CHECK((numbers[i] == before) == stays);
        CHECK(static_cast<float>(numbers[i]) == floats[i]);
        CHECK(std::signbit(numbers[i]) == std::signbit(floats[i]));
        CHECK((stays || std::abs(numbers[i] / before - 1) > 0x1p-28));
    }
    CHECK(numbers[5] == numbers[7]);
    CHECK(numbers[8] < 1);
}
