// The seeded runs of Andrej Karpathy's makemore lectures (nn-zero-to-hero, parts 3 to 5). BYHAND_MAKEMORE_NAMES is
// their names.txt; the figures, as PyTorch 1.13 gives them, stand beside it in makemore-bn.json and the like.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "base/utf8.h"
#include "compare/compare.h"
#include "fast/models.h"
#include "torch_ref/near.h"
#include "train/all_models.h"
#include "train/sampler.h"

using namespace byhand;
using namespace byhand::test;

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
    return {names.string(), text::parsed_json({std::istreambuf_iterator<char>(stream), {}})};
}

void need(const std::string& model) {
    if (model == "torch" && !with_torch()) {
        SKIP("LibTorch is missing");
    }
}

// Each published loss of one of the run's steps, within 1e-4.
void check_losses(const Json& figures, const Trained& run, std::size_t at_least) {
    std::size_t checked = 0;
    for (const auto& [step, loss] : figures["loss"].items()) {
        const auto found = run.losses.find(std::stoul(step));
        if (found != run.losses.end()) {
            CAPTURE(step);
            CHECK(std::abs(found->second - loss.get<double>()) < 1e-4);
            ++checked;
        }
    }
    CHECK(checked >= at_least);
}

// The whole run: losses of the steps and the parts, sizes, and the 20 names to the letter. They are drawn with the
// recipe's seed, or with the generator of the batches.
void check_run(const std::string& recipe, const std::string& model, std::size_t losses, bool same_generator = false) {
    need(model);
    CAPTURE(model);
    const Published expected = published(recipe);
    const Json& figures = expected.figures;
    const Trained made = trained(model, {"--recipe", recipe, "--data", expected.names});
    check_losses(figures, made, losses);
    const Run& run = made.run;
    for (const auto& [part, loss, examples] : {std::tuple("train", made.train, run.train.size()),
                                               {"val", made.val, run.val.size()},
                                               {"test", made.test, run.test.size()}}) {
        CAPTURE(part);
        CHECK(std::abs(loss - figures["final"][part].get<double>()) < 1e-4);
        CHECK(figures["examples"][part] == examples);
    }
    CHECK(figures["parameters"] == parameter_count(run.recipe.network));
    TorchGenerator generator = same_generator ? run.generator : torch_seeded(run.recipe.sample_seed);
    for (std::size_t i = 0; i < 20; ++i) {
        const std::string name =
            to_utf8(sample_name(*made.model, run.recipe.network.context, run.vocabulary, generator, {}));
        const std::string there = figures["samples"][i].get<std::string>();  // some with the '.' that ends a name
        CHECK(name == there.substr(0, there.find('.')));
    }
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
    const auto beyond = std::ranges::count_if(h, [](double t) { return std::abs(t) > 0.97; });
    return 100.0 * static_cast<double>(beyond) / static_cast<double>(h.size());
}

bool relatively_near(double here, double there) {
    return std::abs(here - there) <= 1e-5 * there;
}

}  // namespace

TEST_CASE("published: makemore-bn and makemore-wavenet by each model, their first steps") {
    const std::string recipe = GENERATE("makemore-bn", "makemore-wavenet");
    const Published expected = published(recipe);
    for (const std::string& model : models()) {
        INFO(model);
        check_losses(expected.figures, trained(model, {"--recipe", recipe, "--data", expected.names}, 101), 6);
    }
}
TEST_CASE("published: makemore-bn by fused", "[long]") {
    check_run("makemore-bn", "fused", 21);
}
TEST_CASE("published: makemore-bn by stepwise", "[long]") {
    check_run("makemore-bn", "stepwise", 21);
}
TEST_CASE("published: makemore-bn by collapsed", "[long]") {
    check_run("makemore-bn", "collapsed", 21);
}
TEST_CASE("published: makemore-bn by torch", "[long]") {
    check_run("makemore-bn", "torch", 21);
}
TEST_CASE("published: makemore-wavenet by fused", "[long]") {
    check_run("makemore-wavenet", "fused", 21, true);
}
TEST_CASE("published: makemore-wavenet by stepwise", "[long]") {
    check_run("makemore-wavenet", "stepwise", 21, true);
}
TEST_CASE("published: makemore-wavenet by torch", "[long]") {
    check_run("makemore-wavenet", "torch", 21, true);
}

TEST_CASE("published: makemore-deep by each model") {
    check_run("makemore-deep", GENERATE("fused", "stepwise", "collapsed", "torch"), 7);
}

TEST_CASE("published: makemore-deep inside, after step 1000") {
    need("torch");
    const Published expected = published("makemore-deep");
    Run run = run_with({"--recipe", "makemore-deep", "--data", expected.names});
    const auto candidates = [](Reference& reference) {
        return hand_candidates({"stepwise", "collapsed", "fused"}, reference, fused_candidate);
    };
    Comparison all = compare(run, torch_ref::load(), candidates,
                             {.schedule = {.steps = 1001, .every = 1001, .drift = true},
                              .allowed = {},
                              .keeps_every_step = false,
                              .begins = {},
                              .compared = {}});
    CHECK(all.summary.agree);
    const auto check_inside = [&](const std::string& name, const std::vector<View>& views) {
        const auto numbers = [&](const std::string& value) { return near::values(views, value); };
        for (std::size_t l = 1; l <= 5; ++l) {
            CAPTURE(name, l);
            const Json& tanh = expected.figures["tanh"][l - 1];
            const std::vector<double> h = numbers("h." + std::to_string(l));
            CHECK(h.size() == 3200);
            CHECK(relatively_near(deviation(h), tanh["std"].get<double>()));
            CHECK(std::abs(saturated_percent(h) - tanh["saturated_percent"].get<double>()) < 0.005);
            if (name != "fused") {  // which keeps no dh
                CHECK(relatively_near(deviation(numbers("dh." + std::to_string(l))), tanh["grad_std"].get<double>()));
            }
        }
        const std::vector<std::string> weights = {"C",
                                                  "Linear0.weight",
                                                  "Linear3.weight",
                                                  "Linear6.weight",
                                                  "Linear9.weight",
                                                  "Linear12.weight",
                                                  "Linear15.weight"};
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const std::string value = i == 0 ? "dC" : "dW" + std::to_string(i);
            CAPTURE(name, value);
            CHECK(relatively_near(deviation(numbers(value)),
                                  expected.figures["grad_std_step1000"][weights[i]].get<double>()));
        }
    };
    for (const std::unique_ptr<Candidate>& candidate : all.candidates) {
        check_inside(candidate->model, candidate->implementation->views());
    }
    check_inside("torch", all.reference->implementations.stepwise->views());
    check_inside("module", all.reference->implementations.module->views());
}

TEST_CASE("published: makemore-ninja", "[long]") {
    const Published names = published("makemore-bn");  // for the names only: this run's figures are 2.0705 and 2.1099
    const Trained made = trained("fused", {"--recipe", "makemore-ninja", "--data", names.names});
    CHECK(made.losses.size() == 200'000);
    CHECK(parameter_count(made.run.recipe.network) == 12'297);
    CHECK(std::abs(made.train - 2.0705) < 0.01);
    CHECK(std::abs(made.val - 2.1099) < 0.01);
}
