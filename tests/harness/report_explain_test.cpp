#include "harness/report_explain.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/parsed_json.h"
#include "harness/results.h"

using namespace byhand;
using namespace byhand::test;
using text::parsed_json;

namespace {

const Mistake kMistake = {"half-forgotten", "the half left out", "nobody", {}};
const Mistake kOther = {"sign-turned", "+ for −", "nobody", {}};

Explanation db1() {
    return {
        "db1", "how it changes", {5}, "function_of_db1", {"dhprebn", "X"}, {"new_b1", "other"}, {&kMistake, &kOther}};
}

const std::vector<float> kNumbers = {0.5F, 0, -2, 0, 1.5F};
const View kValues = {"db1", {5}, DType::float32, kNumbers.data()};

}  // namespace

TEST_CASE("explain: one value, to the letter") {
    CHECK(explain_one(db1(), &kValues, presentation()) ==
          "db1 (5)\n"
          "how it changes\n"
          "\n"
          "  formula    db1 = what it should be\n"
          "  function   function_of_db1, src/manual/some.h:17\n"
          "  reads      dhprebn, X\n"
          "  read by    new_b1, other\n"
          "  values     from -2 (db1 unit 2) to 1.5 (db1 unit 4)\n"
          "             mean 0, deviation 1.14, 2 of 5 are 0\n"
          "             0.5, 0, -2, 0, 1.5\n"
          "\n"
          "What people get wrong here (byhand compare --plant NAME shows how it is found):\n"
          "  half-forgotten: the half left out\n"
          "  sign-turned: + for −\n");
}

TEST_CASE("explain: what is given is made by no step; without values, readers and mistakes nothing is made up") {
    const Explanation given = {"C", "the embedding", {4, 2}, "", {}, {}, {}};
    CHECK(explain_one(given, nullptr, presentation()) ==
          "C (4, 2)\n"
          "the embedding\n"
          "\n"
          "  given      no step makes it\n"
          "  read by    nobody\n");
}

TEST_CASE("explain: the numbers of a scalar, of characters, and of more than six") {
    const float loss = 3.25F;
    const View scalar = {"loss", {}, DType::float32, &loss};
    CHECK(explain_one({"loss", "m", {}, "", {}, {}, {}}, &scalar, presentation()) ==
          "loss ()\nm\n\n  given      no step makes it\n  read by    nobody\n  values     3.25\n");
    const std::vector<std::int64_t> Y = {2, 3, 1, 0, 2, 3, 3};
    const View characters = {"Y", {7}, DType::int64, Y.data()};
    const std::string text = explain_one({"Y", "m", {7}, "", {}, {}, {}}, &characters, presentation());
    CHECK(text.find("\n             mean 2, deviation 1.07, 1 of 7 are 0\n") != std::string::npos);
    CHECK(text.ends_with("\n             2, 3, 1, 0, 2, 3, …\n"));
}

TEST_CASE("explain: the whole network, a line a value") {
    const Explanation given = {"C", "the embedding", {4, 2}, "", {}, {"emb"}, {}};
    CHECK(explain_list({given, db1()}) ==
          "C    (4, 2)  ·             given\n"
          "db1  (5)     ← dhprebn, X  function_of_db1\n");
}

TEST_CASE("explain as JSON: every field; what is not known is null, what is not finite a string") {
    const std::vector<float> endless = {1, std::numeric_limits<float>::infinity()};
    const Explanation given = {"C", "the embedding", {2}, "", {}, {"emb"}, {}};
    const Json j = parsed_json(explain_json({db1(), given, {"no", "m", {2}, "unknown", {}, {}, {}}},
                                            {kValues, {"C", {2}, DType::float32, endless.data()}}, presentation()));
    REQUIRE(j.size() == 3);
    CHECK(j[0] == parsed_json(R"({"name": "db1", "meaning": "how it changes", "shape": [5],
        "function": "function_of_db1", "file_line": "src/manual/some.h:17", "formula": "db1 = what it should be",
        "reads": ["dhprebn", "X"], "read_by": ["new_b1", "other"],
        "values": {"least": -2.0, "most": 1.5, "mean": 0.0, "deviation": 1.140175425099138, "zeros": 2},
        "mistakes": ["half-forgotten", "sign-turned"]})"));
    CHECK(j[1]["function"].is_null());
    CHECK(j[1]["file_line"].is_null());
    CHECK(j[1]["formula"].is_null());
    CHECK(j[1]["mistakes"] == Json::array());
    CHECK(j[1]["values"]["most"] == "inf");
    CHECK(j[2]["function"] == "unknown");
    CHECK(j[2]["file_line"].is_null());
    CHECK(j[2]["values"].is_null());
}
