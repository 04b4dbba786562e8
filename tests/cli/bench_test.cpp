// byhand bench: what it says, not how fast anything is.
#include <fmt/core.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
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

const Arguments kQuick = {"bench", "--recipe", "small", "--rounds", "2"};

std::set<std::string> keys(const Json& object) {
    std::set<std::string> all;
    for (const auto& [key, value] : object.items()) {
        all.insert(key);
    }
    return all;
}

void check_spread(const Json& spread) {
    CHECK(keys(spread) == std::set<std::string>{"median", "p10", "p90"});
    CHECK(spread.at("p10").get<double>() > 0);
    CHECK(spread.at("p10").get<double>() <= spread.at("median").get<double>());
    CHECK(spread.at("median").get<double>() <= spread.at("p90").get<double>());
}

}  // namespace

TEST_CASE("bench --json has every figure of the machine and of each recipe") {
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--recipe", "notes", "--json"});
    const Json all = json_of(outcome);
    const Json& machine = all.at("machine");
    CHECK(machine.at("threads").get<int>() == 1);
    CHECK(machine.at("peak_gflops").get<double>() > 0);
    CHECK_FALSE(machine.at("cpu").get<std::string>().empty());
    CHECK_FALSE(machine.at("target").get<std::string>().empty());
    CHECK(machine.at("blas_core").is_string() == with_torch());
    REQUIRE(all.at("results").size() == 2);
    CHECK(all.at("results").at(1).at("recipe").get<std::string>() == "notes");
    CHECK(all.at("results").at(1).at("flops_per_step").get<double>() == 633'600);
    for (const Json& one : all.at("results")) {
        CHECK(one.at("threads").get<int>() == 1);
        CHECK(one.at("rounds").get<int>() == 2);
        CHECK(one.at("conventions").get<std::string>() == "torch");
        check_spread(one.at("step_us"));
        CHECK(one.at("gflops").get<double>() > 0);
        CHECK(one.at("fraction_of_peak").get<double>() > 0);
        if (with_torch()) {
            check_spread(one.at("torch_step_us"));
            check_spread(one.at("torch_as_installed_us"));
            check_spread(one.at("ratio"));
            CHECK(one.at("ratio_as_installed").get<double>() > 0);
            CHECK(one.at("losses_apart").get<double>() < 1e-4);
            CHECK(one.at("agree").get<bool>());
            CHECK(std::abs(one.at("loss").get<double>() - one.at("torch_loss").get<double>()) < 0.5);
        }
    }
    CHECK(outcome.err.find("small (1 of 2)\n") != std::string::npos);
    CHECK(place.files() == std::vector<std::string>{"small"});
}

TEST_CASE("without LibTorch bench measures ours alone, and says why") {
    if (with_torch()) {
        SKIP("LibTorch is available");
    }
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--json"});
    const Json one = json_of(outcome).at("results").at(0);
    for (const char* key : {"torch_step_us", "torch_as_installed_us", "ratio", "ratio_as_installed"}) {
        CHECK(one.at(key).is_null());
    }
    CHECK(outcome.err.find("without LibTorch: ") == 0);
    CHECK(outcome.err.find("install the package byhand-torch, or configure with -DBYHAND_WITH_TORCH=ON") !=
          std::string::npos);
}

TEST_CASE("LibTorch as installed can be left out") {
    const Place place;
    const Json one = json_of(byhand(place, kQuick + Arguments{"--json", "--no-as-installed"})).at("results").at(0);
    CHECK(one.at("torch_as_installed_us").is_null());
    CHECK(one.at("ratio_as_installed").is_null());
    CHECK(one.at("ratio").is_object() == with_torch());
}

TEST_CASE("OpenBLAS has the kernels that the user names, but as installed its own") {
    need_torch();
    const Place place;
    const auto core = [&](const Arguments& flags, const Environment& environment) {
        const Outcome outcome = byhand(place, kQuick + Arguments{"--json"} + flags, environment);
        return json_of(outcome).at("machine").at("blas_core").get<std::string>();
    };
    if (core({"--no-as-installed"}, {}) == "unknown") {
        SKIP("LibTorch's BLAS is no OpenBLAS");
    }
    const Environment nehalem = {{"OPENBLAS_CORETYPE", "Nehalem"}};
    CHECK(core({"--no-as-installed"}, nehalem) == "Nehalem");
    CHECK(core({"--as-installed"}, nehalem) != "Nehalem");
    const Json all = json_of(byhand(place, kQuick + Arguments{"--json"}, nehalem));
    CHECK(all.at("machine").at("blas_core").get<std::string>() == "Nehalem");
    CHECK(all.at("results").at(0).at("blas_core_as_installed").get<std::string>() != "Nehalem");
}

TEST_CASE("bench --avx2: both implementations are limited to AVX2") {
    const Place place;
    const Arguments command = kQuick + Arguments{"--json", "--no-as-installed"};
    const Json wide = json_of(byhand(place, command)), narrow = json_of(byhand(place, command + Arguments{"--avx2"}));
    if (!wide.at("machine").at("target").get<std::string>().starts_with("AVX3")) {
        SKIP("this CPU has nothing wider");
    }
    CHECK(narrow.at("machine").at("target").get<std::string>() == "AVX2");
    if (with_torch() && wide.at("machine").at("blas_core").get<std::string>() != "unknown") {
        CHECK(narrow.at("machine").at("blas_core").get<std::string>() == "Haswell");
    }
    // Eigen's kernels are compiled for this CPU.
    const Json operations =
        json_of(byhand(place, kQuick + Arguments{"--json", "--kernels", "--avx2"})).at("operations");
    CHECK(std::ranges::none_of(operations, [](const Json& one) { return one.at("peers").contains("Eigen"); }));
}

TEST_CASE("bench as a table") {
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--no-as-installed"});
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("\n  small ") != std::string::npos);
    CHECK(outcome.out.find("conventions in both implementations: small.\n") != std::string::npos);
    CHECK(outcome.out.find("one thread") != std::string::npos);
    CHECK(byhand(place, kQuick + Arguments{"--threads", "2", "--no-as-installed"}).out.find("2 threads") !=
          std::string::npos);
}

TEST_CASE("bench --kernels: each operation is timed, with the same result in both implementations") {
    const Place place;
    const Json all = json_of(byhand(place, kQuick + Arguments{"--kernels", "--json"}));
    std::set<std::string> names;
    for (const Json& one : all.at("operations")) {
        CAPTURE(one);
        CHECK(one.at("recipe").get<std::string>() == "small");
        names.insert(one.at("operation").get<std::string>());
        check_spread(one.at("us"));
        CHECK(one.at("ratio").is_object() == with_torch());
        if (with_torch()) {
            check_spread(one.at("torch_us"));
            CHECK(one.at("apart").get<double>() < 1e-5);
        }
        // Eigen is always installed, LIBXSMM may be.
        CHECK(one.at("peers").contains("Eigen") == one.at("flops").is_number());
        for (const char* name : {"Eigen", "panels", "LIBXSMM"}) {
            if (one.at("peers").contains(name)) {
                const Json& peer = one.at("peers").at(name);
                check_spread(peer.at("us"));
                check_spread(peer.at("ratio"));
                CHECK(peer.at("apart").get<double>() < 1e-4);
            }
        }
    }
    CHECK(names == std::set<std::string>{"linear forward", "linear dW", "linear dx", "batchnorm forward",
                                         "batchnorm backward", "tanh forward", "tanh backward", "exp", "cross-entropy",
                                         "embedding gather", "embedding scatter", "update"});
    const Outcome text = byhand(place, kQuick + Arguments{"--kernels"});
    CHECK(text.out.find("batchnorm backward  57×170 ") != std::string::npos);
}

TEST_CASE("bench --kernels times what it can of a network, and names the rest") {
    const Place place;
    const Arguments command = {"bench", "--rounds", "2", "--kernels", "--json", "--recipe"};
    const Outcome layernorm = byhand(place, command + Arguments{"mlp-relu-layernorm"});
    const Json all = json_of(layernorm);
    std::set<std::string> names;
    for (const Json& one : all.at("operations")) {
        names.insert(one.at("operation").get<std::string>());
    }
    CHECK(names == std::set<std::string>{"linear forward", "linear dW", "linear dx", "layernorm forward",
                                         "layernorm backward", "relu forward", "relu backward", "exp", "cross-entropy",
                                         "embedding gather", "embedding scatter", "update"});
    CHECK(all.at("budgets").at(0).at("parts_us").contains("layernorm"));
    CHECK(layernorm.err.find("is not timed in isolation") == std::string::npos);
    const Outcome resnet = byhand(place, command + Arguments{"resnet-mlp"});
    CHECK(resnet.err.find("resnet-mlp: residual is not timed in isolation") != std::string::npos);
}

TEST_CASE("bench --kernels: every activation has the same result in both implementations") {
    const Place place;
    const std::string activation = GENERATE("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "gelu_tanh", "silu");
    place.write("other", fmt::format(R"({{
      "name": "other",
      "network": {{"context": 3, "embedding": 7, "hidden": [43], "activation": "{}", "norm": {{"kind": "layer"}}}},
      "initial": {{"seed": 1, "rules": [
        {{"parameter": "C", "normal": 1}}, {{"parameter": "W", "normal": 0.5}}, {{"parameter": "b", "constant": 0}},
        {{"parameter": "lngain", "constant": 1}}, {{"parameter": "lnbias", "constant": 0}}]}},
      "batches": {{"size": 57}},
      "schedule": {{"steps": 10, "rates": [{{"from": 0, "rate": 0.1}}]}}
    }})",
                                     activation));
    const Json all = json_of(byhand(place, {"bench", "--recipe", "other", "--rounds", "2", "--kernels", "--json"}));
    std::set<std::string> names;
    for (const Json& one : all.at("operations")) {
        CAPTURE(one);
        names.insert(one.at("operation").get<std::string>());
        CHECK(one.at("limit_us").get<double>() > 0);
        if (with_torch()) {
            CHECK(one.at("apart").get<double>() < 1e-5);
        }
    }
    for (const std::string& operation : {activation, std::string("layernorm")}) {
        CHECK(names.contains(operation + " forward"));
        CHECK(names.contains(operation + " backward"));
    }
}

TEST_CASE("bench --sweep writes CSV, and a plot") {
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--sweep", "hidden=35..150", "--svg", "plot.svg"});
    CHECK(outcome.code == 0);
    const std::vector<std::string> lines = lines_of(outcome.out);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "value,step_us,torch_step_us,ratio,gflops");
    CHECK(lines[1].starts_with("35,"));
    CHECK(lines[2].starts_with("70,"));
    CHECK(lines[3].starts_with("140,"));
    CHECK((lines[3].find(",,") == std::string::npos) == with_torch());
    CHECK(place.read("plot.svg").find("<svg") != std::string::npos);
    CHECK(place.read("plot.svg").find("A training step of small by hidden") != std::string::npos);
}

TEST_CASE("bench --ranks: a row for each number of processes") {
    need_torch();
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--ranks", "2,1,2", "--parts", "5", "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    const Json report = parsed_json(outcome.out);
    CHECK(report["recipe"] == "small");
    CHECK(report["conventions"] == "torch");
    CHECK(report["agree"] == true);
    REQUIRE(report["ranks"].size() == 3);
    CHECK(report["ranks"][0]["parts"] == 1);
    CHECK(report["ranks"][1]["ranks"] == 1);
    const Json& two = report["ranks"][2];
    CHECK(two["ranks"] == 2);
    CHECK(two["parts"] == 5);
    CHECK(two["messages"] == 3);
    CHECK(two["ratio"].get<double>() > 0);
}

TEST_CASE("bench --ranks --sweep: a line for each value and number of processes") {
    need_torch();
    const Place place;
    const Outcome outcome = byhand(place, kQuick + Arguments{"--ranks", "2", "--sweep", "batch=7..20"});
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    const std::vector<std::string> lines = lines_of(outcome.out);
    REQUIRE(lines.size() == 5);
    CHECK(lines[0].starts_with("value,ranks,parts,step_us,gain,"));
    CHECK(lines[1].starts_with("7,1,1,"));
    CHECK(lines[2].starts_with("7,2,7,"));
    CHECK(lines[4].starts_with("14,2,8,"));
}

TEST_CASE("bench --compare: the verdict, its exit code, and what can't be compared") {
    const Place place;
    const Arguments run = {"bench", "--recipe", "small", "--rounds", "10", "--no-as-installed"};
    const std::string before = byhand(place, run + Arguments{"--json"}).out;
    const auto compared_with = [&](const std::string& text, const Arguments& more = {}) {
        place.write("before", text);
        return byhand(place, run + Arguments{"--compare", "before"} + more);
    };
    // The same with every time and ratio so many times as long: no change of the machine is as large.
    const auto scaled = [&](double micros, double ratio) {
        Json all = parsed_json(before), result = all.at("results").at(0);
        for (const auto& [key, factor] : {std::pair("step_us", micros), {"ratio", ratio}}) {
            for (const char* part : {"median", "p10", "p90"}) {
                if (!result[key].is_null()) {
                    result[key][part] = result[key].at(part).get<double>() * factor;
                }
            }
        }
        all["results"] = Json::array({result});
        return printed_json(all, 0);
    };
    const Outcome slower = compared_with(scaled(0.01, 100));
    INFO(slower.out << slower.err);
    CHECK(slower.code == 1);
    CHECK(slower.out.find("slower: small\n") != std::string::npos);
    const Json faster = json_of(compared_with(scaled(100, 0.01), {"--json"}));
    CHECK(faster.at("compared").at("verdict").get<std::string>() == "faster");
    CHECK(faster.at("compared").at("changes").at(0).at("by").get<std::string>() == (with_torch() ? "ratio" : "µs"));

    const auto with = [&](const std::string& key, const Json& value) {
        Json all = parsed_json(before);
        all["machine"][key] = value;
        return printed_json(all, 0);
    };
    check_refused(compared_with("{"), "before: line 1, column 2: not JSON");
    check_refused(compared_with("{}"), "before: not a report of byhand bench");
    check_refused(compared_with(with("cpu", "another")), "before: measured on another with");
    check_refused(compared_with(with("target", "another")), "compare runs on the same machine");
    check_refused(compared_with(before, {"--threads", "2"}), "before: measured with --threads 1, not 2");
    check_refused(compared_with(before, {"--kernels"}), "before: measures steps; leave out --kernels");
    check_refused(compared_with(before, {"--recipe", "notes"}), "before: has no recipe notes; give --recipe, of small");
    check_refused(compared_with(before, {"--output", "before"}), "before");
    check_refused(compared_with(before, {"--sweep", "hidden=2..4"}), "--compare");
    check_refused(compared_with(before, {"--ranks", "2"}), "--compare");
    check_refused(byhand(place, kQuick + Arguments{"--compare", "before"}), "--compare requires at least 10 rounds");
    check_refused(byhand(place, run + Arguments{"--compare", "absent"}), "absent");
}

TEST_CASE("bench refuses what it can't measure") {
    const Place place;
    check_refused(byhand(place, kQuick + Arguments{"--ranks", "0"}), "--ranks");
    check_refused(byhand(place, kQuick + Arguments{"--ranks", "2", "--kernels"}), "--kernels");
    check_refused(byhand(place, kQuick + Arguments{"--ranks", "2", "--threads", "2"}), "--threads");
    check_refused(byhand(place, kQuick + Arguments{"--parts", "2"}), "--ranks");
    if (with_torch()) {
        check_refused(byhand(place, kQuick + Arguments{"--ranks", "2", "--parts", "58"}), "can't have 58 parts");
        check_refused(byhand(place, kQuick + Arguments{"--ranks", "2", "--output", "no/such/file"}), "no/such/file");
    }
    check_refused(byhand(place, kQuick + Arguments{"--ranks", "2", "--recipe", "notes"}), "a single --recipe");
    check_refused(byhand(place, {"bench", "--recipe", "smal"}), "smal");
    check_refused(byhand(place, kQuick + Arguments{"--threads", "0"}), "--threads");
    check_refused(byhand(place, {"bench", "--rounds", "0"}), "--rounds");
    check_refused(byhand(place, {"bench", "--rounds", "many"}), "--rounds");
    check_refused(byhand(place, kQuick + Arguments{"--sweep", "depth=1..2"}), "hidden=16..4096");
    check_refused(byhand(place, kQuick + Arguments{"--sweep", "hidden=4..2"}), "hidden=4..2");
    check_refused(byhand(place, kQuick + Arguments{"--recipe", "notes", "--sweep", "hidden=2..4"}), "--recipe");
    check_refused(byhand(place, kQuick + Arguments{"--sweep", "hidden=2..4", "--json"}), "--json");
    check_refused(byhand(place, kQuick + Arguments{"--sweep", "hidden=2..4", "--kernels"}), "--kernels");
    check_refused(byhand(place, kQuick + Arguments{"--svg", "plot.svg"}), "--sweep");
    check_refused(byhand(place, kQuick + Arguments{"--as-installed", "--no-as-installed"}), "--as-installed");
    check_refused(byhand(place, kQuick + Arguments{"--as-installed", "--avx2"}), "--avx2");
    check_refused(byhand(place, kQuick + Arguments{"--sweep", "hidden=2..4", "--svg", "no/such/plot.svg"}),
                  "no/such/plot.svg");
    CHECK(place.files() == std::vector<std::string>{"small"});
}

}  // namespace cli_test
