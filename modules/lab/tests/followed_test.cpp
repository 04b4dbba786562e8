#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "base/change_network.h"
#include "lab/walkthrough/walkthrough.h"
#include "manual/glossary.h"

using namespace byhand;
using lab::Followed;
using lab::Place;
using lab::places_of;

namespace {

// Row 1, of `b.a → c`: 4 characters, 3 looked at, 2 numbers each, 5 units.
Followed followed() {
    const NetworkConfig network = test::network(4, 3, 2, {.hidden = {5}});
    return {1, {network, glossary_of(network), {".", "a", "b", "c"}, {0, 0, 0, 2, 0, 1}, {1, 3}}};
}

bool are(const std::vector<Place>& places, const std::vector<Place>& expected) {
    bool same = places.size() == expected.size();
    for (std::size_t i = 0; same && i < places.size(); ++i) {
        same = places[i].position == expected[i].position && places[i].label == expected[i].label;
    }
    return same;
}

}  // namespace

TEST_CASE("followed: the numbers of a tensor that belong to the row") {
    const Followed row = followed();
    CHECK(row.target() == 3);
    CHECK(row.character() == 1);
    // The last of the context's characters, in the table and where it is looked up.
    CHECK(are(places_of("C", {4, 2}, row), {{2, "dim. 0"}, {3, "dim. 1"}}));
    CHECK(are(places_of("emb", {2, 3, 2}, row), {{10, "dim. 0"}, {11, "dim. 1"}}));
    CHECK(are(places_of("dembcat", {2, 6}, row), {{10, "dim. 0"}, {11, "dim. 1"}}));
    CHECK(are(places_of("W1", {6, 5}, row), {{20, "unit 0"}, {21, "unit 1"}, {22, "unit 2"}}));
    CHECK(are(places_of("dhprebn", {2, 5}, row), {{5, "unit 0"}, {6, "unit 1"}, {7, "unit 2"}}));
    CHECK(are(places_of("bnvar", {5}, row), {{0, "unit 0"}, {1, "unit 1"}, {2, "unit 2"}}));
    // The target, then the others from the first on.
    CHECK(are(places_of("probs", {2, 4}, row), {{7, "'c'"}, {4, "'.'"}, {5, "'a'"}}));
    CHECK(are(places_of("W2", {5, 4}, row), {{3, "'c'"}, {0, "'.'"}, {1, "'a'"}}));
    CHECK(are(places_of("dcounts_sum", {2}, row), {{1, ""}}));
    CHECK(are(places_of("loss", {}, row), {{0, ""}}));
}
