#include "fast/panels.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

using namespace byhand;

TEST_CASE("panels: every column is in one, in whole lines, none wider than 48, with widths at most a line apart") {
    for (std::size_t columns = 1; columns <= 300; ++columns) {
        INFO(columns << " columns");
        const std::vector<Panel> panels = panels_of(columns);
        CHECK(panels.size() == (padded(columns) / 16 + 2) / 3);
        std::size_t next = 0, narrowest = kWidestPanel, widest = 0;
        for (const Panel& p : panels) {
            CHECK(p.from == next);
            CHECK(p.width % 16 == 0);
            CHECK((p.used == p.width || &p == &panels.back()));
            CHECK(p.used > 0);
            next = p.from + p.width;
            narrowest = std::min(narrowest, p.width);
            widest = std::max(widest, p.width);
        }
        CHECK(next == padded(columns));
        CHECK(panels.back().from + panels.back().used == columns);
        CHECK(widest <= kWidestPanel);
        CHECK(widest - narrowest <= 16);
    }
}

TEST_CASE("panels: a matrix round-trips, each element where place says, zeros in the padding") {
    for (const std::size_t columns : {1, 15, 16, 17, 48, 49, 113}) {
        const std::size_t rows = 7;
        INFO(columns << " columns");
        std::vector<float> matrix(rows * columns), again(rows * columns), in_panels(rows * padded(columns), 9);
        std::iota(matrix.begin(), matrix.end(), 1.0F);
        to_panels(in_panels.data(), matrix.data(), rows, columns);
        from_panels(again.data(), in_panels.data(), rows, columns);
        CHECK(again == matrix);
        const std::vector<Panel> panels = panels_of(columns);
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                const std::size_t at = place({in_panels.data(), rows, panels}, i, j);
                REQUIRE(in_panels[at] == matrix[i * columns + j]);
            }
        }
        CHECK(static_cast<std::size_t>(std::ranges::count(in_panels, 0.0F)) == rows * (padded(columns) - columns));
    }
}
