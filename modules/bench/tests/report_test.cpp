#include "bench/report.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "bench/tests/a_machine.h"
#include "report/writers.h"
#include "train/small_run.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;

namespace {

bench::Result result() {
    bench::Result result;
    result.recipe = "notes";
    result.rounds = 30;
    result.steps = 9000;
    result.seconds = {2e-6, 1e-6, 3e-6};
    result.torch_seconds = bench::Spread{10e-6, 9e-6, 11e-6};
    result.ratio = bench::Spread{5, 4, 6};
    result.losses = bench::Losses{2.5, 2.25, 1e-6};
    result.as_installed = bench::AsInstalled{{12e-6, 11e-6, 13e-6}, 6, "Prescott"};
    result.flops = 50'000;
    return result;
}

std::set<std::string> keys(const Json& object) {
    std::set<std::string> all;
    for (const auto& [key, value] : object.items()) {
        all.insert(key);
    }
    return all;
}

std::string text_of(const bench::Machine& machine, const std::vector<bench::Result>& results) {
    return to_text(bench::document_of(machine, results));
}

// Characters, not bytes.
std::size_t width(const std::string& line) {
    return static_cast<std::size_t>(
        std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

TEST_CASE("report: the JSON is complete") {
    const Json all = bench::document_of(kMachine, {result()}).data;
    CHECK(keys(all) == std::set<std::string>{"machine", "results"});
    CHECK(keys(all.at("machine")) ==
          std::set<std::string>{"cpu", "target", "threads", "peak_gflops", "blas_core", "torch"});
    const Json& one = all.at("results").at(0);
    CHECK(one.at("recipe").get<std::string>() == "notes");
    CHECK(one.at("conventions").get<std::string>() == "recipe");
    CHECK(one.at("threads").get<int>() == 1);
    CHECK_THAT(one.at("step_us").at("median").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(one.at("step_us").at("p10").get<double>(), WithinAbs(1, 1e-9));
    CHECK_THAT(one.at("step_us").at("p90").get<double>(), WithinAbs(3, 1e-9));
    CHECK_THAT(one.at("torch_step_us").at("median").get<double>(), WithinAbs(10, 1e-9));
    CHECK_THAT(one.at("torch_as_installed_us").at("median").get<double>(), WithinAbs(12, 1e-9));
    CHECK(one.at("ratio").at("median").get<double>() == 5);
    CHECK(one.at("ratio_as_installed").get<double>() == 6);
    CHECK(one.at("flops_per_step").get<double>() == 50'000);
    CHECK_THAT(one.at("gflops").get<double>(), WithinAbs(25, 1e-9));
    CHECK_THAT(one.at("fraction_of_peak").get<double>(), WithinAbs(0.25, 1e-9));
    CHECK(one.at("torch_loss").get<double>() == 2.25);
}

TEST_CASE("report: a peer that trained some of the recipes has an empty cell for the others") {
    bench::Result first = result(), second = result();
    first.peers = {{"LIBXSMM", 0, {2e-6, 2e-6, 2e-6}, {1, 1, 1}}};
    second.recipe = "opennn";
    second.peers = {{"Other", 0, {8e-6, 8e-6, 8e-6}, {4, 4, 4}}};
    const Document document = bench::document_of(kMachine, {first, second});
    CHECK(keys(document.data.at("results").at(0).at("peers")) == std::set<std::string>{"LIBXSMM"});
    const std::string text = to_text(document);
    CAPTURE(text);
    CHECK(text.find("LIBXSMM") < text.find("8.00"));
}

TEST_CASE("report: unmeasured values are null") {
    bench::Result alone = result();
    alone.torch_seconds.reset();
    alone.ratio.reset();
    alone.losses.reset();
    alone.as_installed.reset();
    bench::Machine machine = kMachine;
    machine.torch_version = "";
    const Json all = bench::document_of(machine, {alone}).data;
    CHECK(all.at("machine").at("blas_core").is_null());
    const Json& one = all.at("results").at(0);
    for (const char* key : {"torch_step_us", "torch_as_installed_us", "ratio", "ratio_as_installed", "torch_cpu_share",
                            "loss", "torch_loss", "losses_apart", "agree"}) {
        CAPTURE(key);
        CHECK(one.at(key).is_null());
    }
    CHECK_FALSE(bench::as_installed_from_json(printed_json(all, 0)));
    CHECK(text_of(machine, {alone}).find("LibTorch 1") == std::string::npos);
}

TEST_CASE("report: a subprocess's figures are read back") {
    const auto read = bench::as_installed_from_json(printed_json(bench::document_of(kMachine, {result()}).data, 0));
    REQUIRE(read);
    CHECK_THAT(read->torch_seconds.median, WithinAbs(10e-6, 1e-12));
    CHECK_THAT(read->torch_seconds.p90, WithinAbs(11e-6, 1e-12));
    CHECK(read->ratio == 5);
    CHECK(read->blas_core == "Haswell");
    CHECK_THROWS_AS(bench::as_installed_from_json("{}"), std::runtime_error);
    CHECK_THROWS_AS(bench::as_installed_from_json("no"), std::runtime_error);
}

TEST_CASE("report: the text is 80 columns wide, and lists the changed norms") {
    bench::Result changed = result();
    changed.recipe = "makemore-deep";
    changed.changed_norm = true;
    changed.seconds.median = 1.234567;
    changed.torch_seconds->median = 3.456789;
    changed.ratio = bench::Spread{10.25, 10.11, 12.33};
    const std::string text = text_of(kMachine, {result(), changed});
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(width(line) <= 80);
    }
    CHECK(text.find("conventions in both implementations: makemore-deep.\n") != std::string::npos);
    CHECK(text.find("25.0 %") != std::string::npos);
    CHECK(text.find("5.00 (4.00–6.00)") != std::string::npos);
    CHECK(text_of(kMachine, {result()}).find("conventions") == std::string::npos);
}

TEST_CASE("report: times become figures") {
    bench::StepTimes times;
    times.rounds.ours.seconds = {1e-6, 2e-6, 3e-6};
    times.rounds.theirs.seconds = {8e-6, 8e-6, 9e-6};
    times.rounds.total = 77;
    Recipe recipe = small_run::recipe();
    recipe.network.vocabulary = 7;
    const bench::Result made = bench::result_of(times, recipe, 2);
    CHECK(made.recipe == "small");
    CHECK(made.rounds == 3);
    CHECK(made.steps == 77);
    CHECK(made.seconds.median == 2e-6);
    CHECK(made.ratio->median == 4);
    CHECK(made.flops == 2 * 3 * 16 * (6 * 5 + 5 * 7));
    CHECK(made.threads == 2);
}
