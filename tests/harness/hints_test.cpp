#include "harness/isolated/hints.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/change_network.h"

using namespace byhand;

namespace {

// V 29, T 3, E 7, H 101.
const NetworkConfig kNetwork = test::network(29, 3, 7, {.hidden = {101}});

constexpr std::size_t kRows = 5, kColumns = 7, kBatch = 32;

// Values of no pattern, each with a digit of noise below its limit.
struct Case {
    Shape shape = {kRows, kColumns};
    std::vector<double> exact, ours, limits;

    explicit Case(Shape of = {kRows, kColumns}) : shape(std::move(of)) {
        for (std::size_t i = 0; i < count(shape); ++i) {
            exact.push_back(std::sin(1.0 + 3.7 * static_cast<double>(i * i)));
            limits.push_back(1e-6);
        }
        ours = exact;
    }

    std::string told(std::size_t n = kBatch) const {
        std::vector<double> rounded = ours;
        for (std::size_t i = 0; i < rounded.size(); ++i) {
            rounded[i] += rounded[i] == 0 ? 0 : (i % 2 == 0 ? 0.9e-6 : -0.9e-6);
        }
        return hint(rounded, exact, limits, shape, extents_of(kNetwork, n));
    }
};

std::string scaled(double factor, std::size_t n = kBatch) {
    Case c;
    for (double& value : c.ours) {
        value *= factor;
    }
    return c.told(n);
}

// Ours has at (row, column) the exact element at `source`.
std::string moved(const std::function<std::size_t(std::size_t, std::size_t)>& source) {
    Case c;
    for (std::size_t i = 0; i < c.ours.size(); ++i) {
        c.ours[i] = c.exact[source(i / kColumns, i % kColumns)];
    }
    return c.told();
}

}  // namespace

TEST_CASE("hints: one factor, by its name where it has one") {
    CHECK(scaled(31.0 / 32) == "off by the factor 31/32 = (n − 1)/n: n against n − 1");
    CHECK(scaled(32.0 / 31) == "off by the factor 32/31 = n/(n − 1): n against n − 1");
    CHECK(scaled(-1) == "the negative of the right answer");
    CHECK(scaled(1.0 / 32) == "off by the factor 1/32 = 1/n: a 1/n too many");
    CHECK(scaled(32) == "off by the factor 32 = n: a 1/n is missing");
    CHECK(scaled(2) == "twice the right answer");
    CHECK(scaled(0.5) == "half the right answer");
    CHECK(scaled(0.75) == "off by one factor, 0.75");
    CHECK(scaled(-2.5) == "off by one factor, -2.5");
    CHECK(scaled(0) == "all zero");
    // A fraction of the network's extents.
    CHECK(scaled(31.0 / 33) == "off by the factor 31/33 = (n − 1)/(n + 1)");
    CHECK(scaled(-29.0 / 32) == "off by the factor −29/32 = −V/n");
    CHECK(scaled(8.0 / 31) == "off by the factor 8/31 = 8/(n − 1)");
    CHECK(scaled(31.0 / 8) == "off by the factor 31/8 = (n − 1)/8");
    CHECK(scaled(101) == "off by the factor 101 = H");
    CHECK(scaled(21) == "off by the factor 21 = T·E");
    CHECK(scaled(101.0 / 21) == "off by the factor 101/21 = H/(T·E)");
    CHECK(scaled(8.001 / 31) == "off by one factor, 0.2581");
    CHECK(scaled(-18446744073709551616.0) == "off by the factor −2^64: an unsigned −1");
    // n is that of the batch.
    CHECK(scaled(31.0 / 32, 7) == "off by one factor, 0.96875");
    CHECK(scaled(6.0 / 7, 7) == "off by the factor 6/7 = (n − 1)/n: n against n − 1");
    // With 2 rows n/(n − 1) and n are one.
    CHECK(scaled(2, 2) == "twice the right answer");
}

TEST_CASE("hints: what one says of every element is the same for inputs of any size") {
    CHECK(general_part("off by the factor 31/32 = (n − 1)/n: n against n − 1") == "(n − 1)/n: n against n − 1");
    CHECK(general_part("off by one factor, 0.75") == "off by one factor, 0.75");
    CHECK(general_part("off by the same amount everywhere, 3") ==
          general_part("off by the same amount everywhere, 0.5"));
    CHECK(general_part("the negative of the right answer") == "the negative of the right answer");
    CHECK(general_part("all zero") == "all zero");
    CHECK(general_part("only the last row is off: all zero").empty());
    CHECK(general_part("").empty());
}

TEST_CASE("hints: a result that ends at the extent of the other axis") {
    const double none = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> ours = {1, 0, 2, none, none};
    const auto read = [](const Shape& shape) { return View{.name = "dprobs", .shape = shape}; };
    CHECK(unwritten_hint(ours, {5}, {read({5, 3})}) ==
          "nothing is written from element 3 on, and dprobs has 3 columns: a sum over the wrong axis?");
    CHECK(unwritten_hint(ours, {5}, {read({3, 5})}) ==
          "nothing is written from element 3 on, and dprobs has 3 rows: a sum over the wrong axis?");
    CHECK(unwritten_hint(ours, {5}, {read({5, 4}), read({5})}).empty());
    const View other{.name = "counts", .shape = {3, 5}};
    CHECK(unwritten_hint(ours, {5}, {read({5, 3}), other}) == unwritten_hint(ours, {5}, {other, read({5, 3})}));
    CHECK(unwritten_hint(ours, {5, 1}, {read({5, 3})}).empty());
    const std::vector<double> gap = {1, 0, 2, none, 7};
    CHECK(unwritten_hint(gap, {5}, {read({5, 3})}).empty());
}

TEST_CASE("hints: where the right answer is not rounded at all, the wrong one may be") {
    Case c;
    c.limits.assign(c.limits.size(), 0.0);
    for (double& value : c.ours) {
        value = static_cast<double>(static_cast<float>(value * 31 / 32));
    }
    CHECK(hint(c.ours, c.exact, c.limits, c.shape, extents_of(kNetwork, kBatch)) ==
          "off by the factor 31/32 = (n − 1)/n: n against n − 1");
}

TEST_CASE("hints: where nothing is off there is nothing to say") {
    CHECK(scaled(1).empty());
    CHECK(Case().told().empty());
    CHECK(hint({}, {}, {}, {0, 3}, extents_of(kNetwork, 5)).empty());
}

TEST_CASE("hints: an error without a pattern has none") {
    Case c;
    for (std::size_t i = 0; i < c.ours.size(); ++i) {
        c.ours[i] = std::cos(static_cast<double>(7 * i * i) + 0.3);
    }
    CHECK(c.told().empty());
    // Nor has one that a factor explains only to a tenth.
    Case nearly;
    for (std::size_t i = 0; i < nearly.ours.size(); ++i) {
        nearly.ours[i] *= i % 2 == 0 ? 0.5 : 0.52;
    }
    CHECK(nearly.told().empty());
    // Limits as wide as the values explain nothing.
    Case wide;
    wide.limits.assign(wide.limits.size(), 0.5);
    wide.ours[3] += 0.9;
    wide.ours[17] -= 0.7;
    wide.ours[30] += 0.8;
    CHECK(hint(wide.ours, wide.exact, wide.limits, wide.shape, extents_of(kNetwork, kBatch)).empty());
}

TEST_CASE("hints: the same amount everywhere") {
    Case c;
    for (double& value : c.ours) {
        value += 0.125;
    }
    CHECK(c.told() == "off by the same amount everywhere, 0.125");
}

TEST_CASE("hints: the transpose, in flat order, square or not") {
    CHECK(moved([](std::size_t row, std::size_t column) {
              const std::size_t flat = row * kColumns + column;
              return flat % kRows * kColumns + flat / kRows;
          }) == "equals the transpose of the right answer");
    Case square({6, 6});
    for (std::size_t i = 0; i < 36; ++i) {
        square.ours[i] = square.exact[i % 6 * 6 + i / 6];
    }
    CHECK(square.told() == "equals the transpose of the right answer");
}

TEST_CASE("hints: rows or columns that stand one off") {
    CHECK(moved([](std::size_t row, std::size_t column) { return (row + kRows - 1) % kRows * kColumns + column; }) ==
          "the rows stand one too far on");
    CHECK(moved([](std::size_t row, std::size_t column) { return (row + 1) % kRows * kColumns + column; }) ==
          "the rows stand one too early");
    CHECK(moved([](std::size_t row, std::size_t column) {
              return row * kColumns + (column + kColumns - 1) % kColumns;
          }) == "the columns stand one too far on");
    CHECK(moved([](std::size_t row, std::size_t column) { return row * kColumns + (column + 1) % kColumns; }) ==
          "the columns stand one too early");
    CHECK(moved([](std::size_t row, std::size_t column) { return (kRows - 1 - row) * kColumns + column; }) ==
          "the rows stand in reverse");
    Case line({11});
    for (std::size_t i = 1; i < 11; ++i) {
        line.ours[i] = line.exact[i - 1];
    }
    CHECK(line.told() == "the elements stand one too far on");
}

TEST_CASE("hints: only one place is off") {
    const auto off_at = [](const std::function<bool(std::size_t, std::size_t)>& here) {
        Case c;
        for (std::size_t i = 0; i < c.ours.size(); ++i) {
            if (here(i / kColumns, i % kColumns)) {
                c.ours[i] += 0.01 * static_cast<double>((i * i) % 11 + 1);
            }
        }
        return c.told();
    };
    CHECK(off_at([](std::size_t row, std::size_t) { return row == kRows - 1; }) == "only the last row is off");
    CHECK(off_at([](std::size_t row, std::size_t) { return row == 0; }) == "only the first row is off");
    CHECK(off_at([](std::size_t row, std::size_t) { return row == 2; }) == "only row 2 is off");
    CHECK(off_at([](std::size_t, std::size_t column) { return column == kColumns - 1; }) ==
          "only the last column is off");
    CHECK(off_at([](std::size_t, std::size_t column) { return column == 4; }) == "only column 4 is off");
    CHECK(off_at([](std::size_t row, std::size_t column) { return row == 2 && column == 3; }) ==
          "only one element is off, [2, 3]");
    CHECK(off_at([](std::size_t row, std::size_t column) { return row == 2 || column == 3; }).empty());
}

TEST_CASE("hints: a place and what it is there") {
    Case left_out;
    for (std::size_t i = (kRows - 1) * kColumns; i < left_out.ours.size(); ++i) {
        left_out.ours[i] = 0;
    }
    CHECK(left_out.told() == "only the last row is off: all zero");
    Case twice;
    for (std::size_t i = 3; i < twice.ours.size(); i += kColumns) {
        twice.ours[i] *= 2;
    }
    CHECK(twice.told() == "only column 3 is off: twice the right answer");
}

TEST_CASE("hints: the first axis has the rows, the last one the columns") {
    Case c({3, 4, 5});
    for (std::size_t i = 40; i < 60; ++i) {
        c.ours[i] += 0.01 * static_cast<double>((i * i) % 11 + 1);
    }
    CHECK(c.told() == "only the last row is off");
    Case scalar{Shape{}};
    scalar.ours[0] *= -1;
    CHECK(scalar.told() == "the negative of the right answer");
    scalar.ours[0] = scalar.exact[0] * 0.7;
    CHECK(scalar.told().empty());  // any number is some multiple of another
}

TEST_CASE("hints: numbers explain others if they are the same but for rounding, and the exact ones are not") {
    Case c;
    std::vector<double> expected = c.exact;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] *= i % 3 == 0 ? 2 : 1;
        c.ours[i] = expected[i] + (i % 2 == 0 ? 0.9e-6 : -0.9e-6);
    }
    CHECK(explains(expected, c.ours, c.exact, c.limits));
    CHECK_FALSE(explains(c.exact, c.ours, c.exact, c.limits));
    CHECK_FALSE(explains(c.exact, c.exact, c.exact, c.limits));
    expected[4] += 1e-5;
    CHECK_FALSE(explains(expected, c.ours, c.exact, c.limits));
    expected[4] = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(explains(expected, c.ours, c.exact, c.limits));
}

TEST_CASE("hints: non-finite values give no hint") {
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        Case c;
        c.ours[3] = bad;
        CHECK(c.told().empty());
    }
}
