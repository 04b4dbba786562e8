#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/losses.h"
#include "cli/program.h"
#include "cli/stored.h"

// The seeded runs of Andrej Karpathy's makemore lectures (nn-zero-to-hero, parts 3 to 5). BYHAND_MAKEMORE_NAMES is
// their names.txt; the figures, as PyTorch 1.13 gives them, stand beside it in makemore-bn.json and the like.

namespace cli_test {
namespace {

struct Published {
    std::string names;  // the path
    Json figures;
};

Published published(const std::string& recipe) {
    const char* path = std::getenv("BYHAND_MAKEMORE_NAMES");  // NOLINT(concurrency-mt-unsafe): one thread
    if (path == nullptr || *path == '\0') {
        SKIP("BYHAND_MAKEMORE_NAMES is not set");
    }
    const std::filesystem::path names = std::filesystem::absolute(path);
    std::ifstream stream(names.parent_path() / (recipe + ".json"));
    REQUIRE(stream.good());
    return {names.string(), parsed_json({std::istreambuf_iterator<char>(stream), {}})};
}

void need(const std::string& model) {
    if (model == "torch" && !with_torch()) {
        SKIP("LibTorch is missing");
    }
}

// Each published loss of a step that the run told, within 1e-4.
void check_losses(const Json& figures, const Losses& losses, std::size_t at_least) {
    std::size_t checked = 0;
    for (const auto& [step, loss] : figures["loss"].items()) {
        const auto found = losses.steps.find(std::stoul(step));
        if (found != losses.steps.end()) {
            CAPTURE(step);
            CHECK(std::abs(found->second - loss.get<double>()) < 1e-4);
            ++checked;
        }
    }
    CHECK(checked >= at_least);
}

// Losses of the parts, sizes, and the 20 names to the letter.
void check_outcome(const Folder& folder, const Json& figures, const Losses& losses,
                   const Arguments& sample = {"sample", "model", "--json"}) {
    for (const std::string part : {"train", "val", "test"}) {
        CAPTURE(part);
        CHECK(std::abs(losses.final.at(part) - figures["final"][part].get<double>()) < 1e-4);
        CHECK(losses.result["examples"][part] == figures["examples"][part]);
    }
    CHECK(losses.result["parameters"] == figures["parameters"]);
    const Json sampled = json_of(byhand(folder, sample));
    REQUIRE(sampled["names"].size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
        const std::string there = figures["samples"][i].get<std::string>();  // some with the '.' that ends a name
        CHECK(sampled["names"][i]["name"].get<std::string>() == there.substr(0, there.find('.')));
    }
}

// 200,000 steps of makemore-bn or makemore-wavenet, which has as many parameters.
void makemore(const std::string& recipe, const std::string& model, std::size_t parameters, const Arguments& sample) {
    need(model);
    const Published run = published(recipe);
    const Folder folder;
    const Arguments flags = {"--recipe", recipe, "--data", run.names};
    const Losses losses = losses_of(folder, model, flags + Arguments{"--log-every", "10000"});
    CHECK(losses.result["steps"] == 200'000);
    CHECK(losses.result["parameters"] == parameters);
    check_losses(run.figures, losses, 21);
    check_outcome(folder, run.figures, losses, sample);
}

void makemore_bn(const std::string& model) {
    makemore("makemore-bn", model, 12'097, {"sample", "model", "--json"});
}

// The generator of the batches draws the names too.
void makemore_wavenet(const std::string& model) {
    makemore("makemore-wavenet", model, 76'579, {"sample", "model", "--json", "--continue"});
}

// The first steps.
void makemore_begins(const std::string& recipe, const std::string& model) {
    need(model);
    const Published run = published(recipe);
    const Folder folder;
    const Arguments flags = {"--recipe", recipe, "--data", run.names, "--steps", "101", "--log-every", "1"};
    check_losses(run.figures, losses_of(folder, model, flags), 6);
}

void makemore_bn_begins(const std::string& model) {
    makemore_begins("makemore-bn", model);
}

void makemore_deep(const std::string& model) {
    need(model);
    const Published run = published("makemore-deep");
    const Folder folder;
    const Losses losses =
        losses_of(folder, model, {"--recipe", "makemore-deep", "--data", run.names, "--log-every", "1"});
    CHECK(losses.result["steps"] == 1001);
    CHECK(losses.result["parameters"] == 47'024);
    check_losses(run.figures, losses, 7);
    check_outcome(folder, run.figures, losses);
}

// The deviation, with divisor n − 1.
double deviation(const std::vector<double>& x) {
    double mean = 0, squares = 0;
    for (const double value : x) {
        mean += value / static_cast<double>(x.size());
    }
    for (const double value : x) {
        squares += (value - mean) * (value - mean);
    }
    return std::sqrt(squares / static_cast<double>(x.size() - 1));
}

double saturated_percent(const std::vector<double>& h) {
    const auto beyond = std::count_if(h.begin(), h.end(), [](double t) { return std::abs(t) > 0.97; });
    return 100.0 * static_cast<double>(beyond) / static_cast<double>(h.size());
}

bool relatively_near(double here, double there) {
    return std::abs(here - there) <= 1e-5 * there;
}

}  // namespace

TEST_CASE("published: makemore-bn by fused, its first steps") {
    makemore_bn_begins("fused");
}
TEST_CASE("published: makemore-bn by fused", "[long]") {
    makemore_bn("fused");
}
TEST_CASE("published: makemore-bn by stepwise, its first steps") {
    makemore_bn_begins("stepwise");
}
TEST_CASE("published: makemore-bn by stepwise", "[long]") {
    makemore_bn("stepwise");
}
TEST_CASE("published: makemore-bn by collapsed, its first steps") {
    makemore_bn_begins("collapsed");
}
TEST_CASE("published: makemore-bn by collapsed", "[long]") {
    makemore_bn("collapsed");
}
TEST_CASE("published: makemore-bn by torch, its first steps") {
    makemore_bn_begins("torch");
}
TEST_CASE("published: makemore-bn by torch", "[long]") {
    makemore_bn("torch");
}

TEST_CASE("published: makemore-wavenet by each model, its first steps") {
    for (const std::string& model : models()) {
        INFO(model);
        makemore_begins("makemore-wavenet", model);
    }
}
TEST_CASE("published: makemore-wavenet by fused", "[long]") {
    makemore_wavenet("fused");
}
TEST_CASE("published: makemore-wavenet by stepwise", "[long]") {
    makemore_wavenet("stepwise");
}
TEST_CASE("published: makemore-wavenet by torch", "[long]") {
    makemore_wavenet("torch");
}

TEST_CASE("published: makemore-deep by fused") {
    makemore_deep("fused");
}
TEST_CASE("published: makemore-deep by stepwise") {
    makemore_deep("stepwise");
}
TEST_CASE("published: makemore-deep by collapsed") {
    makemore_deep("collapsed");
}
TEST_CASE("published: makemore-deep by torch") {
    makemore_deep("torch");
}

TEST_CASE("published: makemore-deep inside, after step 1000") {
    need("torch");
    const Published run = published("makemore-deep");
    const Folder folder;
    const Outcome outcome = byhand(
        folder, {"compare", "--recipe", "makemore-deep", "--data", run.names, "--steps", "1001", "--every", "1001",
                 "--drift", "--model", "stepwise,collapsed,fused", "--dump", "dump.safetensors", "--output", "report"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    const StoredFile dump = read_stored(folder.file("dump.safetensors"));
    const std::vector<std::string> weights = {"C",
                                              "Linear0.weight",
                                              "Linear3.weight",
                                              "Linear6.weight",
                                              "Linear9.weight",
                                              "Linear12.weight",
                                              "Linear15.weight"};
    for (const std::string implementation : {"manual", "collapsed", "fused", "torch", "module"}) {
        for (std::size_t l = 1; l <= 5; ++l) {
            CAPTURE(implementation, l);
            const Json& tanh = run.figures["tanh"][l - 1];
            const std::vector<double> h = dump.tensors.at(implementation + "/h." + std::to_string(l)).doubles();
            CHECK(h.size() == 3200);
            CHECK(relatively_near(deviation(h), tanh["std"].get<double>()));
            CHECK(std::abs(saturated_percent(h) - tanh["saturated_percent"].get<double>()) < 0.005);
            if (implementation != "fused") {  // which keeps no dh
                const std::vector<double> dh = dump.tensors.at(implementation + "/dh." + std::to_string(l)).doubles();
                CHECK(relatively_near(deviation(dh), tanh["grad_std"].get<double>()));
            }
        }
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const std::string name = i == 0 ? "dC" : "dW" + std::to_string(i);
            CAPTURE(implementation, name);
            CHECK(relatively_near(deviation(dump.tensors.at(implementation + "/" + name).doubles()),
                                  run.figures["grad_std_step1000"][weights[i]].get<double>()));
        }
    }
}

TEST_CASE("published: makemore-ninja", "[long]") {
    const Published run = published("makemore-bn");  // for the names only: this run's figures are 2.0705 and 2.1099
    const Folder folder;
    const Losses losses =
        losses_of(folder, "fused", {"--recipe", "makemore-ninja", "--data", run.names, "--log-every", "10000"});
    CHECK(losses.result["steps"] == 200'000);
    CHECK(losses.result["parameters"] == 12'297);
    CHECK(std::abs(losses.final.at("train") - 2.0705) < 0.01);
    CHECK(std::abs(losses.final.at("val") - 2.1099) < 0.01);
}

}  // namespace cli_test
