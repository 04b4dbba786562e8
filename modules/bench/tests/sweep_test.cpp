#include "bench/sweep.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"

using namespace byhand;
using bench::Size;

TEST_CASE("sweep: is named, and doubles its values") {
    const bench::Sweep sweep = bench::sweep_of("hidden=16..100");
    CHECK(sweep.size == Size::hidden);
    CHECK(bench::values_of(sweep) == std::vector<std::size_t>{16, 32, 64});
    CHECK(bench::values_of(bench::sweep_of("batch=3..24")) == std::vector<std::size_t>{3, 6, 12, 24});
    CHECK(bench::values_of(bench::sweep_of("context=5..5")) == std::vector<std::size_t>{5});
    for (const std::string name : {"hidden", "batch", "embedding", "context"}) {
        CHECK(bench::name_of(bench::sweep_of(name + "=1..2").size) == name);
    }
}

TEST_CASE("sweep: invalid text is refused") {
    for (const std::string text : {"", "hidden", "hidden=", "hidden=16", "hidden=16..", "hidden=..16", "hidden=16..8",
                                   "hidden=0..8", "hidden=a..8", "hidden=1..8x", "hidden=-1..8", "hidden=1...8",
                                   "hide=1..8", "=1..8", "..", "hidden=1..99999999", "1..8=hidden", "hidden =1..8"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(bench::sweep_of(text), InputError);
    }
}

TEST_CASE("sweep: a size is set in the recipe") {
    Recipe recipe;
    test::set(recipe.network, &ShortForm::hidden, {7, 8});
    CHECK(test::widths(bench::with_size(recipe, Size::hidden, 16).network) == std::vector<std::size_t>{16, 16});
    CHECK(bench::with_size(recipe, Size::batch, 16).batch == 16);
    CHECK(bench::with_size(recipe, Size::embedding, 16).network.embedding == 16);
    CHECK(bench::with_size(recipe, Size::context, 16).network.context == 16);
}

TEST_CASE("sweep: a line of CSV, with LibTorch and without") {
    bench::Result result;
    result.seconds = {2e-6, 1e-6, 3e-6};
    result.flops = 8000;
    CHECK(bench::csv_line(16, result) == "16,2.000,,,4.000\n");
    result.torch_seconds = bench::Spread{10e-6, 9e-6, 11e-6};
    result.ratio = bench::Spread{5.25, 4, 6};
    CHECK(bench::csv_line(16, result) == "16,2.000,10.000,5.250,4.000\n");
    CHECK(bench::csv_header() == "value,step_us,torch_step_us,ratio,gflops\n");
}
