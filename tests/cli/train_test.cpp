#include <fmt/core.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

std::vector<Json> metrics_of(const Folder& folder, const std::string& name) {
    std::vector<Json> all;
    for (const std::string& line : lines_of(folder.read(name))) {
        all.push_back(parsed_json(line));
    }
    return all;
}

std::vector<std::size_t> steps_of(const std::vector<Json>& metrics) {
    std::vector<std::size_t> steps;
    for (const Json& line : metrics) {
        steps.push_back(line["step"].get<std::size_t>());
    }
    return steps;
}

// A recipe whose first update throws the parameters out of all bounds.
std::string explosive(const Folder& folder) {
    return exchanged(byhand(folder, "recipes notes").out, "\"rate\": 0.1", "\"rate\": 1e30");
}

}  // namespace

TEST_CASE("metrics: every so many steps, and the last one of the schedule") {
    const NamesFolder place;
    using Steps = std::vector<std::size_t>;
    const auto logged = [&](const std::string& steps, const std::string& every) {
        succeeds(place, "train --data n --metrics m --no-save --steps " + steps + " --log-every " + every);
        return steps_of(metrics_of(place, "m"));
    };
    CHECK(logged("25", "7") == Steps{0, 7, 14, 21, 24});
    CHECK(logged("22", "7") == Steps{0, 7, 14, 21});
    CHECK(logged("1", "1") == Steps{0});
    // Where nothing is said, a hundred, however many steps there are in all.
    REQUIRE(place.train("--steps 260 --metrics m --no-save").code == 0);
    CHECK(steps_of(metrics_of(place, "m")) == Steps{0, 100, 200, 259});
    CHECK(place.files() == std::vector<std::string>{"m", "n"});
}

TEST_CASE("metrics have each step's loss and no clock; progress has the mean loss since the line before") {
    const NamesFolder place;
    const Arguments run = "--steps 8 --metrics m --no-save --log-every";
    REQUIRE(place.train(run + "1").code == 0);
    const std::vector<Json> losses = metrics_of(place, "m");
    REQUIRE(losses.size() == 8);
    // Before its update the first batch's loss is close to ln V: all 14 characters are equally likely.
    CHECK(std::abs(losses[0]["loss"].get<double>() - std::log(14.0)) < 0.05);
    CHECK(losses[0].size() == 2);
    const std::string lines = place.train(run + "3").err;
    // Steps 0, 1 to 3, 4 to 6, and the last.
    for (const auto& [first, last] : {std::pair(0, 0), {1, 3}, {4, 6}, {7, 7}}) {
        double sum = 0;
        for (int step = first; step <= last; ++step) {
            sum += losses.at(static_cast<std::size_t>(step))["loss"].get<double>();
        }
        CHECK(contains(lines, fmt::format("{} / 8  mean loss {:.4f}  ", last, sum / (last - first + 1))));
    }
}

TEST_CASE("a line of progress has the examples per second of this run") {
    const NamesFolder place;
    const auto rates = [&](const Arguments& more) {  // of the last line, and the seconds of the run
        const Outcome outcome = place.train("--steps 600 --batch 13 --json" + more);
        const std::string line = lines_of(outcome.err).back();
        double steps = 0, examples = 0;
        char prefix = ' ';
        INFO(line);
        REQUIRE(std::sscanf(line.c_str(), "599 / 600 mean loss %*f %lf steps/s %lf %c", &steps, &examples, &prefix) ==
                3);
        CHECK(line.ends_with(" examples/s"));
        const double unit = prefix == 'M' ? 1e6 : prefix == 'k' ? 1e3 : 1;
        return std::tuple(steps, examples * unit, json_of(outcome)["seconds"].get<double>());
    };
    const auto [steps, examples, seconds] = rates("--save whole");
    CHECK(std::abs(examples / steps / 13 - 1) < 0.1);  // both are rounded
    CHECK(std::abs(examples * seconds / (600 * 13) - 1) < 0.5);
    REQUIRE(place.train("--steps 598 --batch 13 --save part").code == 0);
    const auto [_, after, short_seconds] = rates("--resume part");
    CHECK(after * short_seconds < 10 * 2 * 13);
}

TEST_CASE("the same command gives the same bytes") {
    const NamesFolder place;
    const auto once = [&](const Arguments& more) {
        Json j = json_of(place.train("--steps 200 --log-every 10 --metrics m --json" + more));
        j.erase("seconds");
        const std::vector<std::string> result = {byhand::printed_json(j, 0), place.read("m"),
                                                 place.read("byhand.safetensors")};
        CHECK(result[2].size() > 1000);
        return result;
    };
    for (const std::string& model : models()) {
        CHECK(once("--model " + model) == once("--model " + model));
    }
    CHECK(once("--threads 3 --hidden 67") == once("--threads 1 --hidden 67"));
    CHECK(once("--seed 1")[1] != once("--seed 2")[1]);
    CHECK(once("--split-seed 1")[1] != once("--split-seed 2")[1]);
}

TEST_CASE("train: its summary as a table, JSON, CSV and a page; --no-save leaves the model as it is") {
    const NamesFolder place;
    const Json j = json_of(place.train("--steps 25 --json"));
    CHECK(j["recipe"] == "notes");
    CHECK(j["model"] == "fused");
    // The names have 13 characters, so V = 14: C 28, W1 600, b1 100, γ and β 200, W2 1400, b2 14.
    CHECK(j["parameters"] == 2342);
    CHECK(j["steps"] == 25);
    CHECK(j["seconds"].get<double>() >= 0);
    const std::vector<std::string> csv = lines_of(place.train("--steps 25 --format csv").out);
    REQUIRE(csv.size() == 4);
    CHECK(csv[0] == "part,examples,loss\r");
    CHECK(csv[2].starts_with("val," + std::to_string(j["examples"]["val"].get<int>()) + ","));
    CHECK(std::stod(csv[2].substr(csv[2].rfind(',') + 1)) == j["final"]["val"].get<double>());
    const std::string before = place.read("byhand.safetensors");
    const Outcome page = place.train("--steps 26 --no-save --format html --output r");
    CHECK(page.code == 0);
    CHECK(page.out.empty());
    CHECK(contains(place.read("r"), "<h1>26 steps by fused in "));
    CHECK(json_of(place.train("--steps 3 --no-save --json"))["saved"].is_null());
    CHECK(place.read("byhand.safetensors") == before);
    CHECK(place.files() == std::vector<std::string>{"byhand.safetensors", "n", "r"});
    check_refused(place.train("--steps 3 --output byhand.safetensors"), "both the model and the report");
    check_refused(place.train("--steps 3 --save m --output m"), "--output");
    check_refused(place.train("--steps 3 --output no/such"), "no/such");
}

TEST_CASE("a loss or an update that is not finite ends the training with 1, and nothing is saved") {
    const NamesFolder place;
    const std::string recipe = explosive(place);
    place.write("r.json", recipe);
    const Outcome outcome = place.train("--recipe r.json --steps 9 --log-every 1 --metrics m");
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, " of step 1 is "));
    const std::vector<Json> metrics = metrics_of(place, "m");
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[0]["loss"].is_number());
    CHECK(metrics[1]["loss"].is_string());  // "nan" or an infinity
    // The loss of the only step is that before its update. Of values as large as they are then, no mean can be taken.
    place.write("r.json", exchanged(recipe, R"("evaluation": "running")", R"("evaluation": "training-set")"));
    CHECK(place.train("--recipe r.json --steps 1 --json").code == 1);
    CHECK(place.files() == std::vector<std::string>{"m", "n", "r.json"});
}

TEST_CASE("a model that a training will overwrite is reported before it") {
    const NamesFolder place;
    const Arguments train = "--steps 7 --save m";
    const std::string said = "m contains a model after 7 steps, which will be overwritten";
    CHECK_FALSE(contains(place.train(train).err, "will be overwritten"));
    CHECK(contains(place.train(train).err, said));
    CHECK_FALSE(contains(place.train(train).out, "in place of"));
    const Outcome shorter = place.train("--steps 5 --save m");
    CHECK(contains(shorter.err,
                   "warning: m contains a model after 7 steps, which will be overwritten by one after 5; --save "
                   "names another file\n"));
    CHECK(contains(shorter.out, "saved to m, in place of a longer training of 7 steps;"));
    CHECK_FALSE(contains(place.train("--resume m --steps 9").err, "will be overwritten"));
    CHECK_FALSE(contains(place.train("--steps 7 --no-save").err, "will be overwritten"));
}

TEST_CASE("metrics that can't be written are reported at the next checkpoint, which is saved") {
    const NamesFolder place;
    const Outcome outcome = place.train("--steps 9 --save-every 3 --log-every 1 --metrics /dev/full --save m");
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    const std::string told = "the metrics file is incomplete: No space left on device; training continues";
    const std::size_t at = outcome.err.find(told);
    REQUIRE(at != std::string::npos);
    CHECK(outcome.err.find(told, at + 1) == std::string::npos);
    CHECK(at < outcome.err.find("7 / 9"));
    CHECK(read_stored(place.file("m")).metadata.at("steps") == "9");
}

TEST_CASE("flags override the recipe, each what it names and no more, and the model has the recipe as it was run") {
    const NamesFolder place;
    const auto check = [&](const Arguments& flags, const std::vector<std::pair<std::string, Json>>& changed) {
        const auto recipe_with = [&](const Arguments& these) {
            succeeds(place, "train --data n --steps 2 --save m" + these);
            return parsed_json(read_stored(place.file("m")).metadata.at("recipe"));
        };
        Json patch = Json::array();
        for (const auto& [path, value] : changed) {
            patch.push_back({{"op", "replace"}, {"path", path}, {"value", value}});
        }
        CHECK(text::diff(recipe_with({}), recipe_with(flags)) == patch);
    };
    check("--embedding 7 --hidden 8 --context 9 --batch 10 --seed 11 --split-seed 12 --norm after --bn-eps 0.25",
          {{"/network/context", 9},
           {"/network/embedding", 7},
           {"/network/hidden/0", 8},
           {"/network/norm/place", "after"},
           {"/network/norm/epsilon", 0.25},
           {"/initial/seed", 11},
           {"/data/split_seed", 12},
           {"/batches/size", 10}});
    check("--norm before --bn-variance unbiased", {});
    check("--bn-variance biased", {{"/network/norm/batch_divisor", "n"}, {"/network/norm/running_divisor", "n"}});
}

}  // namespace cli_test
