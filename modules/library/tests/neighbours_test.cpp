#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "library/kernel_inputs.h"

using namespace byhand;

TEST_CASE("neighbours: extents that are equal in all cases of the same ranks vary as one") {
    const std::vector<std::vector<Shape>> cases = {{{5, 5}, {5}}, {{9, 27}, {27}}, {{7}, {4}}};
    const std::vector<TiedExtent> extents = tied_extents(cases);
    REQUIRE(extents.size() == 4);
    CHECK(with_extent(cases[extents[0].beside], extents[0], 11) == std::vector<Shape>{{7}, {11}});
    CHECK(with_extent(cases[extents[1].beside], extents[1], 11) == std::vector<Shape>{{11}, {4}});
    CHECK(with_extent(cases[extents[2].beside], extents[2], 11) == std::vector<Shape>{{11, 5}, {5}});
    CHECK(with_extent(cases[extents[3].beside], extents[3], 11) == std::vector<Shape>{{5, 11}, {11}});
}

TEST_CASE("neighbours: they are those of the smallest shapes that are not degenerate, where there is more than one") {
    const std::vector<TiedExtent> extents = tied_extents({{{1, 1}}, {{0, 27}}, {{33, 100}}, {{7, 27}}, {{2, 4}}});
    REQUIRE(extents.size() == 2);
    CHECK((extents[0].beside == 3 && extents[0].value == 7));
    CHECK(tied_extents({{{1, 128}}}).size() == 1);
    CHECK(tied_extents({{{1}, {0}}}).empty());
}

TEST_CASE("neighbours: one less, one more, and whole blocks") {
    CHECK(extents_near(2) == std::vector<std::size_t>{1, 3, 64, 65});
    CHECK(extents_near(27) == std::vector<std::size_t>{1, 2, 26, 28, 64, 65});
    CHECK(extents_near(64) == std::vector<std::size_t>{1, 2, 63, 65, 128, 129});
}
