#include "documents/explain.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/parsed_json.h"
#include "harness/results.h"
#include "report/writers.h"

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

std::string text_of(const Explanation& one, const std::vector<View>& values) {
    return to_text(explain_document(one, values, presentation()));
}

}  // namespace

TEST_CASE("explain: one value, to the letter") {
    CHECK(text_of(db1(), {kValues}) ==
          "db1 (5)\n"
          "\n"
          "how it changes\n"
          "\n"
          "  formula   db1 = what it should be\n"
          "  function  function_of_db1, src/manual/some.h:17\n"
          "  reads     dhprebn, X\n"
          "  read by   new_b1, other\n"
          "  values    from -2 (db1 unit 2) to 1.5 (db1 unit 4)\n"
          "            mean 0, deviation 1.14, 2 of 5 are 0\n"
          "            0.5, 0, -2, 0, 1.5\n"
          "\n"
          "common mistakes (byhand compare --plant NAME shows how each is found)\n"
          "  half-forgotten  the half left out\n"
          "  sign-turned     + for −\n");
}

TEST_CASE("explain: what is given is made by no step; without values, readers and mistakes nothing is made up") {
    const Explanation given = {"C", "the embedding", {4, 2}, "", {}, {}, {}};
    CHECK(text_of(given, {}) ==
          "C (4, 2)\n"
          "\n"
          "the embedding\n"
          "\n"
          "  given    no step makes it\n"
          "  read by  nothing\n");
}

TEST_CASE("explain: the numbers of a scalar, of characters, and of more than six") {
    const float loss = 3.25F;
    const View scalar = {"loss", {}, DType::float32, &loss};
    CHECK(text_of({"loss", "m", {}, "", {}, {}, {}}, {scalar}) ==
          "loss ()\n\nm\n\n  given    no step makes it\n  read by  nothing\n  values   3.25\n");
    const std::vector<std::int64_t> Y = {2, 3, 1, 0, 2, 3, 3};
    const View characters = {"Y", {7}, DType::int64, Y.data()};
    const std::string text = text_of({"Y", "m", {7}, "", {}, {}, {}}, {characters});
    CHECK(text.find("\n           mean 2, deviation 1.07, 1 of 7 are 0\n") != std::string::npos);
    CHECK(text.ends_with("\n           2, 3, 1, 0, 2, 3, …\n"));
}

TEST_CASE("explain: the numbers of a row, those of all its positions, and what is not finite as tables have it") {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> numbers = {1, 2, 3, 4, 5, 6, -kNaN, -kInf, kInf, 0.125F, 0, 0};
    const Explanation h = {"h", "m", {4, 3}, "", {}, {}, {}};  // two rows of two positions
    const std::vector<View> values = {{"h", {4, 3}, DType::float32, numbers.data()}};
    const FollowedRow second = {1, "row 1"};
    CHECK(to_text(explain_document(std::vector{h}, "", values, presentation(), second))
              .ends_with("\n  name  shape   function  notes  first numbers\n"
                         "  h     (4, 3)  given     Ha     nan, -inf, inf …\n"));
    const Document one = explain_document(h, values, presentation(), second);
    CHECK(to_text(one).ends_with("\n  notes    Ha\n  row 1    nan, -inf, inf, 0.125, 0, 0\n"));
    CHECK(one.data[0]["row"] == Json({"nan", "-inf", "inf", 0.125, 0.0, 0.0}));
}

TEST_CASE("explain: the whole network, a line a value") {
    const Explanation given = {"C", "the embedding", {4, 2}, "", {}, {"emb"}, {}};
    const Document document = explain_document(std::vector{given, db1()}, "", {kValues}, presentation());
    CHECK(
        to_text(document).ends_with("in the order in which they are computed\n"
                                    "\n"
                                    "  name  shape   function         reads\n"
                                    "  C     (4, 2)  given\n"
                                    "  db1   (5)     function_of_db1  dhprebn, X\n"));
    CHECK(to_csv(document) ==
          "name,meaning,shape,function,file_line,formula,reads,read_by,values_least,values_most,values_mean,"
          "values_deviation,values_zeros,mistakes\r\n"
          "C,the embedding,4 2,,,,,emb,,,,,,\r\n"
          "db1,how it changes,5,function_of_db1,src/manual/some.h:17,db1 = what it should be,dhprebn X,new_b1 other,"
          "-2,1.5,0,1.140175425099138,2,half-forgotten sign-turned\r\n");
    const std::string csv = to_csv(explain_document(db1(), {kValues}, presentation()));
    CHECK(csv.ends_with(",half-forgotten sign-turned\r\n"));
    CHECK(csv.starts_with("name,meaning,shape,"));
}

TEST_CASE("explain as JSON: every field; what is not known is null, what is not finite a string") {
    const std::vector<float> endless = {1, std::numeric_limits<float>::infinity()};
    const Explanation given = {"C", "the embedding", {2}, "", {}, {"emb"}, {}};
    const Json j = explain_document({db1(), given, {"no", "m", {2}, "unknown", {}, {}, {}}}, "",
                                    {kValues, {"C", {2}, DType::float32, endless.data()}}, presentation())
                       .data;
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
