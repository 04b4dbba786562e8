#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/text.h"
#include "byhand/torch.h"

using namespace byhand;

namespace {

// The sums of the rows; `of_row(x, columns)` adds one up.
template <class OfRow>
Kernel row_sums(OfRow of_row) {
    return kernel("row_sums", [of_row](float* y, const float* x, std::size_t rows, std::size_t columns) {
        for (std::size_t r = 0; r < rows; ++r) {
            y[r] = of_row(x + r * columns, r, columns);
        }
    });
}

float sum(const float* x, std::size_t columns) {
    float all = 0;
    for (std::size_t j = 0; j < columns; ++j) {
        all += x[j];
    }
    return all;
}

Expected sums() {
    return computes([](at::Tensor x) { return x.sum(1); }).shapes({{5, 12}, {8, 28}});
}

}  // namespace

TEST_CASE("shapes: a kernel that is wrong for sizes beside those that are given is found") {
    const Report right = check(row_sums([](const float* x, std::size_t, std::size_t n) { return sum(x, n); }), sums());
    INFO(right.text());
    CHECK(text::contains(right.text(), "1, 2, 4, 6, 64, 65 and 2053 for 5; 1, 2, 11, 13, 64, 65 and 2053 for 12"));
    CHECK(right.agrees());
    const std::vector<Kernel> wrong = {
        // The tail of a vector of four.
        row_sums([](const float* x, std::size_t, std::size_t n) { return sum(x, n > 4 ? n / 4 * 4 : n); }),
        // A carry that is lost.
        row_sums([](const float* x, std::size_t, std::size_t n) { return sum(x, n > 1024 ? 1024 : n); }),
        row_sums([](const float* x, std::size_t r, std::size_t n) { return sum(x, n) + (r > 1023 ? 1 : 0); }),
        // A warp, of which the last is never full.
        row_sums([](const float* x, std::size_t, std::size_t n) { return sum(x, n) + (n % 64 == 0 ? x[0] : 0); }),
        row_sums([](const float* x, std::size_t, std::size_t n) { return n == 1 ? 0 : sum(x, n); }),
        row_sums([](const float* x, std::size_t, std::size_t n) { return sum(x, n) + (n == 2 ? x[1] : 0); }),
    };
    for (const Kernel& one : wrong) {
        const std::string text = check(one, sums()).text();
        INFO(text);
        CHECK(text::contains(text, "no given shapes show it, only these beside them"));
        CHECK(check(one, sums().and_neighbours(false)).agrees());
    }
}

TEST_CASE("shapes: a mistake that given shapes show is reported for these") {
    // In float wrong for shapes beside those given, in double for all.
    const Kernel both = kernel(
        "sums",
        [](float* y, const float* x, std::size_t rows, std::size_t columns) {
            for (std::size_t r = 0; r < rows; ++r) {
                y[r] = sum(x + r * columns, columns > 1024 ? 1024 : columns);
            }
        },
        [](double* y, const double* x, std::size_t rows, std::size_t columns) {
            for (std::size_t r = 0; r < rows; ++r) {
                y[r] = 1.01 * std::accumulate(x + r * columns, x + (r + 1) * columns, 0.0);
            }
        });
    const std::string said = check(both, sums()).text();
    INFO(said);
    CHECK(text::contains(said, "in double, on inputs of (5, 12)"));
    CHECK_FALSE(text::contains(said, "beside"));
}

TEST_CASE("shapes: what is none of a kernel's sizes, and what the reference refuses or cuts off, does not vary") {
    const Kernel of_twelve = kernel("sums_of_12", [](float* y, const float* x, std::size_t rows) {
        for (std::size_t r = 0; r < rows; ++r) {
            y[r] = sum(x + 12 * r, 12);
        }
    });
    const auto extent = [](const std::vector<Shape>& inputs) { return std::vector{inputs[0][0]}; };
    CHECK(check(of_twelve, computes([](at::Tensor x) { return x.sum(1); }).shapes({{5, 12}}).sizes(extent)).agrees());

    // The halves of a row exchanged, of which the reference loses the middle of an odd number.
    const Kernel halves = kernel("halves", [](float* y, const float* x, std::size_t rows, std::size_t columns) {
        for (std::size_t i = 0; i < rows * columns; ++i) {
            y[i] = x[i / columns * columns + (i + columns / 2 - i / columns * columns) % columns];
        }
    });
    const auto exchanged = [](at::Tensor x) {
        const std::int64_t half = x.size(1) / 2;
        return at::cat({x.narrow(1, half, half), x.narrow(1, 0, half)}, 1);
    };
    const Report report = check(halves, computes(exchanged).shapes({{7, 6}, {3, 10}}));
    INFO(report.text());
    CHECK(report.agrees());
    CHECK(text::contains(report.text(), "2 and 64 for 10"));
}

TEST_CASE("shapes: an extent that an index would be beyond is left out, whatever is drawn") {
    const Kernel chosen =
        kernel("chosen", [](float* y, const float* x, const std::int64_t* t, std::size_t rows, std::size_t columns) {
            for (std::size_t r = 0; r < rows; ++r) {
                y[r] = x[r * columns + static_cast<std::size_t>(t[r])];
            }
        });
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7}) {
        const Report report =
            check(chosen, computes([](at::Tensor x, at::Tensor t) { return x.gather(1, t.unsqueeze(1)).squeeze(1); })
                              .inputs({"x", "t"})
                              .integers("t", 0, 26)
                              .shapes_of_all({{{3, 27}, {3}}})
                              .seed(seed));
        INFO(report.text());
        CHECK(report.agrees());
        CHECK(text::contains(report.text(), "28, 64, 65 and 2053 for 27"));
    }
}

TEST_CASE("shapes: work that grows with the square of an extent is bounded") {
    const Kernel gram = kernel("gram", [](float* y, const float* x, std::size_t n) {
        for (std::size_t i = 0; i < n * n; ++i) {
            y[i] = x[i / n] * x[i % n];
        }
    });
    const Report report = check(gram, computes([](at::Tensor x) { return at::outer(x, x); }).shapes({{27}}));
    INFO(report.text());
    CHECK(report.agrees());
    CHECK(text::contains(report.text(), "1, 2, 26, 28, 64 and 65 for 27"));
}
