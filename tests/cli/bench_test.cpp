// byhand bench: what it says, not how fast anything is.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

// Its norm differs from BatchNorm1d's. A smaller network takes longer to measure: both implementations run as many
// steps as the faster one needs, and LibTorch is slower by a larger factor.
constexpr const char* kSmall = R"({
  "name": "small",
  "network": {"context": 3, "embedding": 7, "hidden": [170], "norm": {"batch_divisor": "n-1"}},
  "initial": {"seed": 1, "rules": [
    {"parameter": "C", "normal": 1}, {"parameter": "W", "normal": 0.5}, {"parameter": "b", "constant": 0},
    {"parameter": "bngain", "constant": 1}, {"parameter": "bnbias", "constant": 0}]},
  "batches": {"size": 57},
  "schedule": {"steps": 10, "rates": [{"from": 0, "rate": 0.1}]}
})";

struct Place : Folder {
    Place() { write("small", kSmall); }
};

const Arguments kQuick = "bench --recipe small --rounds 2";

void check_spread(const Json& spread) {
    CHECK(spread.at("p10").get<double>() > 0);
    CHECK(spread.at("p10").get<double>() <= spread.at("median").get<double>());
    CHECK(spread.at("median").get<double>() <= spread.at("p90").get<double>());
}

}  // namespace

TEST_CASE("bench --json: the machine, and each recipe, in which both implementations agree") {
    const Place place;
    const Outcome outcome = byhand(place, kQuick + "--recipe notes --json");
    const Json all = json_of(outcome);
    CHECK(all.at("machine").at("threads").get<int>() == 1);
    CHECK(all.at("machine").at("blas_core").is_string() == with_torch());
    REQUIRE(all.at("results").size() == 2);
    CHECK(all.at("results").at(1).at("recipe").get<std::string>() == "notes");
    for (const Json& one : all.at("results")) {
        CHECK(one.at("rounds").get<int>() == 2);
        CHECK(one.at("conventions").get<std::string>() == "torch");
        check_spread(one.at("step_us"));
        CHECK(one.at("ratio_as_installed").is_null() != with_torch());
        if (with_torch()) {
            check_spread(one.at("ratio"));
            CHECK(one.at("agree").get<bool>());
        }
    }
    CHECK(contains(outcome.err, "small (1 of 2)\n"));
    if (!with_torch()) {
        CHECK(outcome.err.starts_with("without LibTorch: "));
        CHECK(contains(outcome.err, "install the package byhand-torch, or configure with -DBYHAND_WITH_TORCH=ON"));
    }
    CHECK(place.files() == std::vector<std::string>{"small"});
}

TEST_CASE("OpenBLAS has the kernels that the user names, but as installed its own") {
    need_torch();
    const Place place;
    const auto core = [&](const Arguments& flags, const Environment& environment) {
        const Outcome outcome = byhand(place, kQuick + "--json" + flags, environment);
        return json_of(outcome).at("machine").at("blas_core").get<std::string>();
    };
    if (core("--no-as-installed", {}) == "unknown") {
        SKIP("LibTorch's BLAS is no OpenBLAS");
    }
    const Environment nehalem = {{"OPENBLAS_CORETYPE", "Nehalem"}};
    CHECK(core("--no-as-installed", nehalem) == "Nehalem");
    CHECK(core("--as-installed", nehalem) != "Nehalem");
    const Json all = json_of(byhand(place, kQuick + "--json", nehalem));
    CHECK(all.at("machine").at("blas_core").get<std::string>() == "Nehalem");
    CHECK(all.at("results").at(0).at("blas_core_as_installed").get<std::string>() != "Nehalem");
}

TEST_CASE(
    "bench --avx2, --threads, --no-as-installed: both implementations are limited, LibTorch as installed omitted") {
    const Place place;
    const Arguments command = kQuick + "--json --no-as-installed";
    const Json wide = json_of(byhand(place, command)), narrow = json_of(byhand(place, command + "--avx2"));
    CHECK(wide.at("results").at(0).at("torch_as_installed_us").is_null());
    CHECK(wide.at("results").at(0).at("ratio").is_object() == with_torch());
    CHECK(contains(byhand(place, kQuick + "--threads 2 --no-as-installed").out, "2 threads"));
    if (!wide.at("machine").at("target").get<std::string>().starts_with("AVX3")) {
        SKIP("this CPU has nothing wider");
    }
    CHECK(narrow.at("machine").at("target").get<std::string>() == "AVX2");
    if (with_torch() && wide.at("machine").at("blas_core").get<std::string>() != "unknown") {
        CHECK(narrow.at("machine").at("blas_core").get<std::string>() == "Haswell");
    }
    // Eigen's kernels are compiled for this CPU.
    const Json operations = json_of(byhand(place, kQuick + "--json --kernels --avx2")).at("operations");
    CHECK(std::ranges::none_of(operations, [](const Json& one) { return one.at("peers").contains("Eigen"); }));
}

TEST_CASE("bench --kernels: every operation is timed, a norm without γ too, with the same result in all libraries") {
    const Place place;
    place.write("other", R"({
      "name": "other",
      "network": {"context": 3, "embedding": 7, "layers": [
        {"op": "linear", "outputs": 43}, {"op": "batchnorm"}, {"op": "tanh"},
        {"op": "linear", "outputs": 43}, {"op": "layernorm", "affine": false}, {"op": "sigmoid"},
        {"op": "linear", "outputs": 43}, {"op": "rmsnorm"}, {"op": "relu"},
        {"op": "linear", "outputs": 43}, {"op": "residual", "from": 8}, {"op": "leaky_relu"},
        {"op": "linear", "outputs": 43}, {"op": "gelu"}, {"op": "linear", "outputs": 43}, {"op": "gelu_tanh"},
        {"op": "linear", "outputs": 43}, {"op": "silu"}, {"op": "linear", "outputs": 43}, {"op": "softplus"},
        {"op": "dropout", "p": 0.2}, {"op": "linear"}]},
      "initial": {"seed": 1, "rules": [
        {"parameter": "C", "normal": 1}, {"parameter": "W", "normal": 0.2}, {"parameter": "b", "constant": 0},
        {"parameter": "bngain", "constant": 1}, {"parameter": "bnbias", "constant": 0},
        {"parameter": "rmsgain", "constant": 1}]},
      "batches": {"size": 57},
      "schedule": {"steps": 10, "rates": [{"from": 0, "rate": 0.1}]}
    })");
    const Outcome outcome = byhand(place, "bench --recipe other --rounds 2 --kernels --json");
    const Json all = json_of(outcome);
    std::set<std::string> names;
    for (const Json& one : all.at("operations")) {
        CAPTURE(one);
        names.insert(one.at("operation").get<std::string>());
        check_spread(one.at("us"));
        CHECK(one.at("limit_us").get<double>() > 0);
        CHECK(one.at("ratio").is_object() == with_torch());
        if (with_torch()) {
            CHECK(one.at("apart").get<double>() < 1e-5);
        }
        // Eigen is always installed, LIBXSMM may be.
        CHECK(one.at("peers").contains("Eigen") == one.at("flops").is_number());
        for (const auto& [name, peer] : one.at("peers").items()) {
            check_spread(peer.at("ratio"));
            CHECK(peer.at("apart").get<double>() < 1e-4);
        }
    }
    std::set<std::string> expected = {"linear dW",     "linear dx",        "linear forward",   "exp",
                                      "cross-entropy", "embedding gather", "residual forward", "embedding scatter",
                                      "update"};
    for (const std::string op : {"batchnorm", "layernorm", "rmsnorm", "tanh", "sigmoid", "relu", "leaky_relu", "gelu",
                                 "gelu_tanh", "silu", "dropout"}) {
        expected.insert({op + " forward", op + " backward"});
    }
    CHECK(names == expected);
    CHECK(contains(outcome.err, "other: softplus is not timed in isolation"));
}

TEST_CASE("bench --sweep writes CSV, and a plot; with --ranks a line for each number of processes") {
    const Place place;
    const Outcome outcome = succeeds(place, kQuick + "--sweep hidden=35..150 --svg plot.svg");
    REQUIRE(lines_of(outcome.out).size() == 4);
    CHECK(lines_of(outcome.out)[3].starts_with("140,"));
    CHECK(contains(place.read("plot.svg"), "A training step of small by hidden"));
    if (with_torch()) {
        const Outcome ranks = succeeds(place, kQuick + "--ranks 2 --sweep batch=7..20");
        REQUIRE(lines_of(ranks.out).size() == 5);
        CHECK(lines_of(ranks.out)[4].starts_with("14,2,8,"));
    }
}

TEST_CASE("bench --ranks: a row for each number of processes") {
    need_torch();
    const Place place;
    const Json report = json_of(byhand(place, kQuick + "--ranks 2,1,2 --parts 5 --json"));
    CHECK(report["agree"] == true);
    REQUIRE(report["ranks"].size() == 3);
    CHECK(report["ranks"][1]["ranks"] == 1);
    CHECK(report["ranks"][2]["parts"] == 5);
}

TEST_CASE("bench --compare: exit code 1 if it is slower; another machine's or options' report is refused") {
    const Place place;
    const Arguments run = "bench --recipe small --rounds 10 --no-as-installed", compare = run + "--compare before";
    const std::string before = byhand(place, run + "--json").out;
    // The same with every time and ratio so many times as long: no change of the machine is as large.
    const auto compared = [&](double micros, double ratio, const Arguments& more = {}) {
        Json all = parsed_json(before), result = all.at("results").at(0);
        for (const auto& [key, factor] : {std::pair("step_us", micros), {"ratio", ratio}}) {
            for (const char* part : {"median", "p10", "p90"}) {
                if (!result[key].is_null()) {
                    result[key][part] = result[key].at(part).get<double>() * factor;
                }
            }
        }
        all["results"] = Json::array({result});
        place.write("before", printed_json(all, 0));
        return byhand(place, compare + more);
    };
    const Outcome slower = compared(0.01, 100);
    INFO(slower.out << slower.err);
    CHECK(slower.code == 1);
    CHECK(contains(slower.out, "slower: small\n"));
    const Json faster = json_of(compared(100, 0.01, {"--json"}));
    CHECK(faster.at("compared").at("verdict").get<std::string>() == "faster");
    CHECK(faster.at("compared").at("changes").at(0).at("by").get<std::string>() == (with_torch() ? "ratio" : "µs"));
    check_refused(place, {{compare + "--threads 2", "before: measured with --threads 1, not 2"},
                          {compare + "--kernels", "before: measures steps; leave out --kernels"},
                          {compare + "--output before", "before"},
                          {compare + "--sweep hidden=2..4", "--compare"},
                          {compare + "--ranks 2", "--compare"},
                          {kQuick + "--compare before", "--compare requires at least 10 rounds"},
                          {run + "--compare absent", "absent"}});
    place.write("before", "{");
    check_refused(byhand(place, compare), "before: line 1, column 2: not JSON");
}

TEST_CASE("bench refuses what it can't measure, and writes nothing") {
    const Place place;
    std::vector<Refusal> refusals = {{"--ranks 0", "--ranks"},
                                     {"--ranks 2 --kernels", "--kernels"},
                                     {"--ranks 2 --threads 2", "--threads"},
                                     {"--parts 2", "--ranks"},
                                     {"--ranks 2 --recipe notes", "a single --recipe"},
                                     {"--recipe smal", "smal"},
                                     {"--threads 0", "--threads"},
                                     {"--sweep depth=1..2", "hidden=16..4096"},
                                     {"--recipe notes --sweep hidden=2..4", "--recipe"},
                                     {"--sweep hidden=2..4 --json", "--json"},
                                     {"--sweep hidden=2..4 --kernels", "--kernels"},
                                     {"--svg plot.svg", "--sweep"},
                                     {"--as-installed --no-as-installed", "--as-installed"},
                                     {"--as-installed --avx2", "--avx2"},
                                     {"--sweep hidden=2..4 --svg no/such/plot.svg", "no/such/plot.svg"}};
    if (with_torch()) {
        refusals.push_back({"--ranks 2 --parts 58", "can't have 58 parts"});
        refusals.push_back({"--ranks 2 --output no/such/file", "no/such/file"});
    }
    for (Refusal& refusal : refusals) {
        refusal.command = kQuick + refusal.command;
    }
    check_refused(place, refusals);
    check_refused(place, {{"bench --rounds 0", "--rounds"}, {"bench --rounds many", "--rounds"}});
    CHECK(place.files() == std::vector<std::string>{"small"});
}

}  // namespace cli_test
