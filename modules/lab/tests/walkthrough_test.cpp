#include "lab/walkthrough/walkthrough.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "report/writers.h"
#include "train/run.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;
using lab::walkthrough;

namespace {

Document walk(const Recipe& recipe, std::size_t row = 0) {
    return walkthrough({.row = row, .names = 3}, lab_test::setup({recipe}, 30));
}

// Recipes of every kind of network.
std::vector<Recipe> every_kind() {
    std::vector<Recipe> recipes;
    for (const char* name : {"notes", "makemore-bn", "makemore-deep", "makemore-ninja"}) {
        recipes.push_back(lab_test::recipe(name));
    }
    for (const std::string place : {"after", "none"}) {
        recipes.push_back(lab_test::recipe("notes"));
        test::set(recipes.back().network, &ShortForm::norm_place, place);
    }
    Recipe many = lab_test::recipe("makemore-deep");
    test::set(many.network, &ShortForm::hidden, std::vector<std::size_t>(11, 2));
    many.network.embedding = 1;
    many.network.norm.batch_divisor = Divisor::n;
    many.network.norm.affine = false;
    many.batch = 1;
    many.network.norm.running_divisor = Divisor::n;
    recipes.push_back(many);
    for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        recipes.push_back(lab_test::recipe("notes"));
        recipes.back().network.optimizer = {.kind = kind, .weight_decay = 0.01, .momentum = 0.9};
    }
    return recipes;
}

// The run's first batch, as LibTorch computes it in double.
std::unique_ptr<Model> by_torch(const Recipe& recipe, const lab::Setting& setting) {
    const lab::Material material = lab_test::few_names();
    Run run = prepare(recipe, material.names, material.where);
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    draw_batch(batch, run.train, run.generator);
    std::unique_ptr<Model> implementation =
        setting.torch->stepwise(run.recipe.network, run.recipe.batch, DType::float64);
    implementation->load(run.initial);
    implementation->run(batch.view(), static_cast<float>(rate_at(run.recipe, 0)));
    return implementation;
}

// The flat position of an index.
std::size_t position(const std::vector<std::size_t>& index, const Shape& shape) {
    std::size_t at = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        at = at * shape[axis] + index[axis];
    }
    return at;
}

}  // namespace

TEST_CASE("walkthrough: every step of any network, in order, each with its formula and as wide as a terminal") {
    for (const Recipe& recipe : every_kind()) {
        CAPTURE(recipe.name, test::widths(recipe.network).size());
        const Json document = lab_test::read(walk(recipe));
        NetworkConfig config = recipe.network;
        config.vocabulary = 27;
        const Graph network = stepwise_graph(config, recipe.batch);
        std::vector<std::string> names, shown;
        for (const StepList* list : {&network.forward, &network.backward, &network.update}) {
            for (const Step& step : *list) {
                names.push_back(step.makes);
            }
        }
        for (const Json& step : document.at("steps")) {
            shown.push_back(step.at("name").get<std::string>());
            CHECK_FALSE(step.at("meaning").get<std::string>().empty());
            CHECK_FALSE(step.at("values").empty());
        }
        CHECK(shown == names);
        CHECK(document.at("names").at("written").size() == 3);
    }
}

TEST_CASE("walkthrough: its numbers are LibTorch's") {
    const lab::Setting setting = lab_test::setting();
    if (setting.torch == nullptr) {
        return;
    }
    for (const std::size_t row : {0, 13}) {
        const Recipe recipe = lab_test::recipe("notes");
        const Json document = lab_test::read(walk(recipe, row));
        const std::unique_ptr<Model> torch = by_torch(recipe, setting);
        const std::vector<View> views = torch->views();
        for (const Json& step : document.at("steps")) {
            const auto name = step.at("name").get<std::string>();
            const View* view = find(views, name);
            CAPTURE(name, row);
            REQUIRE(view != nullptr);
            for (const Json& element : step.at("values")) {
                const auto index = element.at("index").get<std::vector<std::size_t>>();
                const double expected = value_at(*view, position(index, view->shape));
                CHECK_THAT(element.at("value").get<double>(), WithinAbs(expected, 1e-6 + 1e-4 * std::abs(expected)));
                if (index.size() == 2 && view->shape[0] == 32) {
                    CHECK(index[0] == row);
                }
            }
        }
        CHECK_THAT(document.at("loss").at("before").get<double>(), WithinAbs(value_at(*find(views, "loss"), 0), 1e-5));
        CHECK(document.at("loss").at("after").get<double>() < document.at("loss").at("before").get<double>());
    }
}

TEST_CASE("walkthrough: the same command gives the same page, and the batch as characters") {
    const Recipe recipe = lab_test::recipe("notes");
    const std::string text = to_text(walk(recipe, 2));
    CHECK(text == to_text(walk(recipe, 2)));
    const lab::Material material = lab_test::few_names();
    Run run = prepare(recipe, material.names, material.where);
    DrawnBatch batch(32, 3);
    draw_batch(batch, run.train, run.generator);
    const auto spelled = [&](std::int64_t character) {
        return std::string(1, static_cast<char>(run.vocabulary.characters[static_cast<std::size_t>(character)]));
    };
    const std::string row = "row 2 (`" + spelled(batch.X[6]) + spelled(batch.X[7]) + spelled(batch.X[8]) + " → " +
                            spelled(batch.Y[2]) + "`)";
    CHECK(text.find("Followed is " + row + ".") != std::string::npos);
}

TEST_CASE("walkthrough: a chapter is an operation of a layer, wherever the norm stands") {
    const auto chapters = [](const std::string& place, bool output, const std::string& phase) {
        Recipe recipe = lab_test::recipe("notes");
        test::set(recipe.network, &ShortForm::hidden, {4, 3});
        test::set(recipe.network, &ShortForm::norm_place, place);
        test::set(recipe.network, &ShortForm::output_norm, output);
        const Json json = lab_test::read(walk(recipe));
        std::vector<std::string> titles;
        for (const Json& step : json.at("steps")) {
            const std::string title = step.at("chapter").get<std::string>();
            if (step.at("phase").get<std::string>() == phase && (titles.empty() || titles.back() != title)) {
                titles.push_back(title);
            }
        }
        return titles;
    };
    const std::string first = "Layer 1 of 3, ", second = "Layer 2 of 3, ", output = "Layer 3 of 3 (the output), ";
    CHECK(chapters("before", false, "forward") ==
          std::vector<std::string>{"embedding", first + "linear", first + "batchnorm", first + "tanh",
                                   second + "linear", second + "batchnorm", second + "tanh", output + "linear",
                                   "cross entropy"});
    CHECK(chapters("before", true, "forward").at(8) == output + "batchnorm");
    CHECK(chapters("after", false, "backward") ==
          std::vector<std::string>{"cross entropy", output + "linear", second + "batchnorm", second + "tanh",
                                   second + "linear", first + "batchnorm", first + "tanh", first + "linear",
                                   "embedding"});
    CHECK(chapters("none", false, "backward") ==
          std::vector<std::string>{"cross entropy", output + "linear", second + "tanh", second + "linear",
                                   first + "tanh", first + "linear", "embedding"});
}

TEST_CASE("walkthrough: a batch without that row, and a failed training") {
    CHECK_THROWS_AS(walk(lab_test::recipe("notes"), 32), InputError);
    Recipe wild = lab_test::recipe("notes");
    wild.rates = {{0, 1e30}};
    const Json document = lab_test::read(walk(wild));
    CHECK_FALSE(document.contains("names"));
    CHECK(printed_json(document, 0).find("a loss that is not finite") != std::string::npos);
}
