#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "base/text.h"
#include "checks/documents.h"
#include "report/writers.h"

using namespace byhand;
using text::contains;

namespace {

CheckedGradient gradient(const std::string& name, Verdict verdict, double used) {
    CheckedGradient g{{}, name, "make_" + name, 11, verdict == Verdict::undecided ? std::size_t{3} : 0};
    g.verdict = verdict;
    g.shape = {5, 7};
    g.scale = 2;
    g.error = 3e-9;
    g.catches = 1e-8;
    g.worst = Worst{.position = 8, .ours = 0.5, .right = 0.25, .reference = {}};
    g.limit = 1e-8;
    g.used = used;
    return g;
}

SourceLine source(const std::string& function) {
    return {"src/manual/" + function + ".h:12", function + " = 1"};
}

const GradcheckHeader kHeader = {"notes", 7, 32, 5};

Document document(const std::vector<CheckedModel>& models) {
    return gradcheck_document(kHeader, models, source);
}

std::string wide(const std::vector<CheckedModel>& models) {
    return to_text(document(models), {.width = 200});
}

using enum Verdict;

}  // namespace

TEST_CASE("gradcheck's report: agreement says how close it was, and figures stand on a pass too") {
    const std::vector<CheckedModel> models = {
        {"stepwise", {gradient("dW1", within, 0.25), gradient("db1", zero_within_rounding, 0.5)}},
        {"collapsed", {gradient("dW1", within, 0.125)}}};
    CHECK(agree(models));
    const std::string text = wide(models);
    CHECK(
        text.starts_with("against finite differences in double: recipe notes, 7 rows, seed 5, up to 32 elements a "
                         "gradient\n\nstepwise\n"));
    CHECK(contains(text, "\n\ncollapsed\n"));
    CHECK(contains(text, "  dW1   (5, 7)  11 of 35"));
    CHECK(contains(text, "[1, 1] 0.5 | 0.25"));
    CHECK(contains(text, "25.00 %"));
    CHECK(contains(text, "zero within rounding"));
    CHECK(contains(text, "they agree: 3 gradients; closest to its limit: db1 (50.00 %)\n"));
    CHECK_FALSE(contains(text, "src/manual"));
    CHECK_FALSE(contains(text, "\x1b"));
    CHECK(contains(to_text(document(models), {.colour = true}), "\x1b[32m"));
}

TEST_CASE("gradcheck's report: the first that does not agree, with its line and formula") {
    const std::vector<CheckedModel> models = {
        {"stepwise", {gradient("dW1", within, 0.25), gradient("dh", mismatch, 7), gradient("dC", mismatch, 9)}}};
    CHECK_FALSE(agree(models));
    const std::string text = wide(models);
    CHECK(contains(text, "the first that does not agree: dh (stepwise), mismatch\n"));
    CHECK(contains(text, "\nmade by make_dh at src/manual/make_dh.h:12\nit should be: make_dh = 1\n"));
    CHECK_FALSE(contains(text, "make_dC"));
    CHECK(contains(text, "they disagree: 2 of 3 gradients\n"));

    // Nobody is blamed for what could not be decided.
    const std::vector<CheckedModel> open = {{"stepwise", {gradient("dh", undecided, 0.5)}}};
    CHECK_FALSE(agree(open));
    CHECK(contains(wide(open), "undecided, 3 undecided"));
    CHECK_FALSE(contains(wide(open), "make_dh"));
}

TEST_CASE("gradcheck's report: only within and zero within rounding are agreement") {
    for (const Verdict verdict : {mismatch, undecided, vacuous, non_finite, unwritten, missing}) {
        INFO(to_string(verdict));
        CHECK_FALSE(agrees(verdict));
        CHECK_FALSE(agree({{"stepwise", {gradient("dh", verdict, 0)}}}));
        const Json j = document({{"stepwise", {gradient("dh", verdict, 0)}}}).data;
        CHECK(j["verdict"].get<std::string>() == "disagree");
        CHECK(j["first_divergence"].get<std::string>() == "dh");
        CHECK(j["gradients"][0]["verdict"].get<std::string>() == to_string(verdict));
    }
}

TEST_CASE("gradcheck's report as JSON: what is not known is null, what is not finite a string") {
    CheckedGradient infinite = gradient("dh", non_finite, 0);
    infinite.worst->ours = std::numeric_limits<double>::quiet_NaN();
    infinite.limit = std::numeric_limits<double>::infinity();
    CheckedGradient absent{{}, "db", ""};
    absent.shape = {5, 7};
    const std::vector<CheckedModel> models = {{"stepwise", {gradient("dW1", within, 0.25), infinite, absent}}};
    const Json j = document(models).data;
    CHECK(j["recipe"].get<std::string>() == "notes");
    CHECK(j["rows"] == 7);
    CHECK(j["elements"] == 32);
    CHECK(j["seed"] == 5);
    const Json good = j["gradients"][0], bad = j["gradients"][1], none = j["gradients"][2];
    CHECK(good["model"].get<std::string>() == "stepwise");
    CHECK(good["function"].get<std::string>() == "make_dW1");
    CHECK(good["shape"] == Json({5, 7}));
    CHECK(good["count"] == 35);
    CHECK(good["checked"] == 11);
    CHECK(good["used"] == 0.25);
    CHECK(good["worst"]["index"] == Json({1, 1}));
    CHECK(good["worst"]["by_hand"] == 0.5);
    CHECK(good["worst"]["by_differences"] == 0.25);
    CHECK(bad["worst"]["by_hand"].get<std::string>() == "nan");
    CHECK(bad["limit"].get<std::string>() == "inf");
    for (const char* field : {"function", "error", "limit", "used", "scale", "worst"}) {
        CHECK(none[field].is_null());
    }
    CHECK(contains(wide(models), "0 of 35"));
}

TEST_CASE("gradcheck's report at 80 columns: the figures that matter least leave first") {
    const std::vector<CheckedModel> models = {{"stepwise", {gradient("dlogit_maxes", zero_within_rounding, 0.25)}}};
    const std::string text = to_text(document(models));
    CHECK(contains(text,
                   "\n  name          shape   largest error     limit  of limit  verdict\n"
                   "  dlogit_maxes  (5, 7)       3.00e-09  1.00e-08   25.00 %  zero within rounding\n"));
    CHECK(contains(text,
                   "\n\nnot shown at 80 columns: worst element: by hand | by differences, catches,\n"
                   "checked; --format csv has all\n"));
    CHECK(contains(to_text(document(models), {.width = 120}), "  (5, 7)  11 of 35 "));
}

TEST_CASE("gradcheck's report as CSV: the fields of the JSON, a row a gradient of every model") {
    const std::vector<CheckedModel> models = {{"stepwise", {gradient("dW1", within, 0.25)}},
                                              {"collapsed", {gradient("dh", mismatch, 7)}}};
    CHECK(to_csv(document(models)) ==
          "name,model,function,shape,count,checked,undecided,error,limit,used,scale,catches,worst_index,worst_by_hand,"
          "worst_by_differences,verdict\r\n"
          "dW1,stepwise,make_dW1,5 7,35,11,0,3e-09,1e-08,0.25,2,1e-08,1 1,0.5,0.25,within\r\n"
          "dh,collapsed,make_dh,5 7,35,11,0,3e-09,1e-08,7,2,1e-08,1 1,0.5,0.25,mismatch\r\n");
}

TEST_CASE("gradcheck's report as JUnit: a failure for each that does not agree") {
    const std::vector<CheckedModel> models = {
        {"stepwise", {gradient("dW1", within, 0.25), gradient("dh", undecided, 0.5)}}};
    const Document found = document(models);
    REQUIRE(found.suites.size() == 1);
    REQUIRE(found.suites[0].cases.size() == 2);
    CHECK(found.suites[0].properties.size() == 4);
    CHECK(found.suites[0].cases[0].outcome == report::Outcome::passed);
    const report::Case& failure = found.suites[0].cases[1];
    CHECK(failure.outcome == report::Outcome::failed);
    CHECK(failure.classname == "stepwise.gradcheck");
    CHECK(failure.name == "dh");
    CHECK(failure.type == "undecided");
    CHECK(failure.message == "undecided, 3 undecided: [1, 1] 0.5 | 0.25");
    CHECK(contains(failure.text, "undecided: 3\nerror: 3e-09\nlimit: 1e-08\n"));
}
