#include "harness/isolated/draws.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <set>

using namespace byhand;

namespace {

constexpr std::size_t kRows = 29, kColumns = 17, kVocabulary = 11;
const std::vector<TensorSpec> kSpecs = {
    {"x", {kRows, kColumns}}, {"h", {kRows, 3}}, {"v", {kColumns}}, {"X", {kRows, 2}}, {"Y", {kRows}}};
const std::map<std::string, ValueRange> kRanges = {{"h", {-1, 1}}, {"v", {.low = 0}}};

Values drawn(const Draw& how, std::uint64_t seed = 1) {
    return draw(kSpecs, kRanges, how, kVocabulary, seed);
}

std::vector<double> row(const Values& values, std::size_t i) {
    const double* from = values.numbers("x").data() + i * kColumns;
    return {from, from + kColumns};
}

bool has(const std::vector<double>& numbers, double x) {
    return std::ranges::any_of(numbers, [x](double y) { return y == x && std::signbit(x) == std::signbit(y); });
}

}  // namespace

TEST_CASE("draws: random magnitudes lie from 1/16 to 1, have either sign, and are the same for the same seed") {
    const Values values = drawn({});
    std::set<double> seen;
    for (const double x : values.numbers("x")) {
        CHECK(std::abs(x) >= 1.0F / 16);
        CHECK(std::abs(x) <= 1);
        seen.insert(std::abs(x));
    }
    CHECK(seen.size() == kRows * kColumns);
    CHECK(std::ranges::any_of(values.numbers("x"), [](double x) { return x < 0; }));
    CHECK(std::ranges::any_of(values.numbers("x"), [](double x) { return x > 0; }));
    CHECK(values.numbers("x") == drawn({}).numbers("x"));
    CHECK(values.numbers("x") != drawn({}, 2).numbers("x"));
}

TEST_CASE("draws: every way of drawing keeps within the ranges, and makes finite numbers") {
    for (const Drawn how :
         {Drawn::random, Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::close, Drawn::spread,
          Drawn::special, Drawn::rows, Drawn::columns, Drawn::every, Drawn::first, Drawn::last}) {
        INFO(describe({how}));
        const Values values = drawn({how});
        CHECK(std::ranges::all_of(values.numbers("x"), [](double x) { return std::isfinite(x); }));
        CHECK(std::ranges::all_of(values.numbers("h"), [](double x) { return std::abs(x) <= 1; }));
        CHECK(std::ranges::all_of(values.numbers("v"), [](double x) { return x >= 0 && std::isfinite(x); }));
        for (const char* name : {"X", "Y"}) {
            CHECK(std::ranges::all_of(values.indices(name), [](std::int64_t index) {
                return index >= 0 && index < std::int64_t{kVocabulary};
            }));
        }
    }
}

TEST_CASE("draws: scales") {
    const auto largest = [](const Values& values) {
        return std::abs(*std::ranges::max_element(values.numbers("x"), {}, [](double x) { return std::abs(x); }));
    };
    CHECK(largest(drawn({Drawn::small})) <= 0x1p-20F);
    CHECK(largest(drawn({Drawn::large})) > 0x1p19F);
    CHECK(largest(drawn({Drawn::minute})) <= 0x1p-100F);
    CHECK(largest(drawn({Drawn::vast})) > 0x1p39F);
    CHECK(largest(drawn({Drawn::huge})) > 0x1p59);
    CHECK(largest(drawn({Drawn::enormous})) > 0x1p117);
    CHECK(largest(drawn({Drawn::spread})) > 0x1p18F);
    const Values enormous = drawn({Drawn::enormous});
    const std::vector<double> negative = row(enormous, 0), other = row(enormous, 1);
    CHECK(*std::ranges::max_element(negative) < -1e34);
    CHECK(*std::ranges::max_element(other) > 0);
}

TEST_CASE("draws: special values are zeros of both signs, subnormal numbers, and the ends of a range") {
    const Values values = drawn({Drawn::special});
    CHECK(has(values.numbers("x"), 0.0F));
    CHECK(has(values.numbers("x"), -0.0F));
    CHECK(std::ranges::any_of(values.numbers("x"), [](double x) { return x != 0 && std::abs(x) < 0x1p-126; }));
    const std::vector<double>& h = values.numbers("h");
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
        const Values values = draw({{"v", {7}}}, {{"v", range}}, {Drawn::special, "v", from}, kVocabulary, 1);
        seen.insert(values.numbers("v").begin(), values.numbers("v").end());
    }
    const Values whole = draw({{"v", {all}}}, {{"v", range}}, {Drawn::special, "v"}, kVocabulary, 1);
    CHECK(std::set(seen.begin(), seen.end()) == std::set(whole.numbers("v").begin(), whole.numbers("v").end()));
    CHECK(std::set(seen.begin(), seen.end()).size() > 20);
}

TEST_CASE("draws: close values differ by millionths, in all values alike") {
    const Values values = drawn({Drawn::close});
    for (const double x : values.numbers("x")) {
        CHECK(std::abs(x - 1000) <= 0.001F);
    }
    CHECK(std::set(values.numbers("x").begin(), values.numbers("x").end()).size() > 3);
    CHECK(std::abs(values.numbers("v")[0] - values.numbers("x")[0]) <= 0.002F);
}

TEST_CASE("draws: rows are all negative, have two maxima, are all equal, one-hot and zero; so are columns") {
    const Values by_rows = drawn({Drawn::rows}), by_columns = drawn({Drawn::columns});
    const auto maxima = [](const std::vector<double>& line) {
        return std::ranges::count(line, *std::ranges::max_element(line));
    };
    const auto any_row = [&](auto holds) {
        for (std::size_t i = 0; i < kRows; ++i) {
            if (holds(row(by_rows, i))) {
                return true;
            }
        }
        return false;
    };
    CHECK(any_row([](const auto& line) { return *std::ranges::max_element(line) < 0; }));
    CHECK(any_row([](const auto& line) { return *std::ranges::max_element(line) < -1e6; }));
    CHECK(any_row([](const auto& line) { return *std::ranges::min_element(line) > 0; }));
    CHECK(any_row([&](const auto& line) { return maxima(line) == 2; }));
    CHECK(any_row([&](const auto& line) { return maxima(line) == 2 && *std::ranges::max_element(line) < 0; }));
    CHECK(any_row([&](const auto& line) { return maxima(line) == kColumns && line[0] != 0; }));
    CHECK(any_row([](const auto& line) { return std::ranges::count(line, 0.0F) == kColumns - 1; }));
    CHECK(any_row([](const auto& line) { return std::ranges::count(line, 0.0F) == kColumns; }));
    CHECK(any_row([&](const auto& line) { return *std::ranges::max_element(line) > 100 && maxima(line) == 1; }));
    std::size_t negative_columns = 0;
    for (std::size_t j = 0; j < kColumns; ++j) {
        bool negative = true;
        for (std::size_t i = 0; i < kRows; ++i) {
            negative = negative && by_columns.numbers("x")[i * kColumns + j] < 0;
        }
        negative_columns += negative ? 1 : 0;
    }
    CHECK(negative_columns > 0);
}

TEST_CASE("draws: indices take each class in turn, only the first, or only the last") {
    const std::vector<std::int64_t> every = drawn({Drawn::every, "Y", 5}).indices("Y");
    CHECK(every[0] == 5);
    CHECK(std::set(every.begin(), every.end()).size() == kVocabulary);
    const auto all = [](const std::vector<std::int64_t>& indices, std::int64_t index) {
        return std::ranges::all_of(indices, [index](std::int64_t one) { return one == index; });
    };
    CHECK(all(drawn({Drawn::first, "X"}).indices("X"), 0));
    CHECK(all(drawn({Drawn::last, "X"}).indices("X"), kVocabulary - 1));
}

TEST_CASE("draws: a draw can be limited to one value, the others being random") {
    const Values values = drawn({Drawn::large, "v"});
    CHECK(*std::ranges::max_element(values.numbers("v")) > 0x1p19F);
    CHECK(std::ranges::all_of(values.numbers("x"), [](double x) { return std::abs(x) <= 1; }));
    CHECK(describe({Drawn::large, "v"}) == "values around 1e6 in v");
}
