#include "lab/table_data.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "base/parsed_json.h"
#include "lab/figures.h"

using namespace byhand;
using namespace byhand::lab;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The means are 2, infinite and 5; the deviation of 1 and 3 is √2.
Table table() {
    return {"losses",
            {"Learning rate", {"loss", "loss"}, {"gap", "gap", Align::hidden}},
            {{significant(0.25, 2), with_spread({1, 3}, 1), significant(-1.5, 2)},
             {significant(0.5, 2), with_spread({1, kInfinity}, 1), significant(kInfinity, 2)},
             {significant(1, 2), with_spread({5, 5}, 1), significant(7, 2)}}};
}

}  // namespace

TEST_CASE("table data: a row is an object by the columns' keys, hidden ones too") {
    const Json rows = rows_of(table());
    REQUIRE(rows.size() == 3);
    CHECK(rows.at(0).at("learning_rate").get<double>() == 0.25);
    CHECK(rows.at(0).at("loss").at("mean").get<double>() == 2);
    CHECK(rows.at(0).at("gap").get<double>() == -1.5);
    CHECK(rows.at(1).at("gap").get<std::string>() == "inf");
    CHECK(rows_of({"", {"x"}, {}}).is_array());
}

TEST_CASE("table data: selected columns in the order asked for") {
    const Table selected = select(table(), {"gap", "learning_rate"});
    CHECK(selected.title == "losses");
    REQUIRE(selected.columns.size() == 2);
    CHECK(selected.columns[1].title == "Learning rate");
    REQUIRE(selected.rows.size() == 3);
    CHECK(selected.rows[2][0].shown == "7");
    CHECK(selected.rows[2][1].shown == "1");
}

TEST_CASE("table data: a curve of means has a band and leaves out what is not finite") {
    const Series loss = curve_of(table(), "learning_rate", "loss", "with");
    CHECK(loss.name == "with");
    CHECK(loss.x == std::vector<double>{0.25, 1});
    CHECK(loss.y == std::vector<double>{2, 5});
    REQUIRE(loss.low.size() == 2);
    CHECK(std::abs(loss.low[0] - (2 - std::sqrt(2))) < 1e-12);
    CHECK(std::abs(loss.high[0] - (2 + std::sqrt(2))) < 1e-12);
    CHECK(loss.high[1] == 5);
    const Series gap = curve_of(table(), "learning_rate", "gap");
    CHECK(gap.x == std::vector<double>{0.25, 0.5, 1});
    CHECK(gap.y[0] == -1.5);
    CHECK(std::isnan(gap.y[1]));
    CHECK(gap.low.empty());
}
