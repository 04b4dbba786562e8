#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

struct Place : Folder {
    Place() { write("n", file_of(plain_names())); }
    Outcome train(const Arguments& more) const { return byhand(*this, Arguments{"train", "--data", "n"} + more); }
};

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
    std::string text = byhand(folder, {"recipes", "notes"}).out;
    const std::string rate = "\"rate\": 0.1";
    return text.replace(text.find(rate), rate.size(), "\"rate\": 1e30");
}

}  // namespace

TEST_CASE("training as JSON has the keys of the contract") {
    const Place place;
    const Json j = json_of(place.train({"--steps", "25", "--json"}));
    CHECK(j["recipe"] == "notes");
    CHECK(j["model"] == "fused");
    // The names have 13 characters, so V = 14: C 28, W1 600, b1 100, γ and β 200, W2 1400, b2 14.
    CHECK(j["parameters"] == 2342);
    CHECK(j["steps"] == 25);
    CHECK(j["seconds"].is_number());
    CHECK(j["seconds"].get<double>() >= 0);
    for (const std::string part : {"train", "val", "test"}) {
        CHECK(j["final"][part].is_number());
        CHECK(j["final"][part].get<double>() > 0.5);
        CHECK(j["final"][part].get<double>() < 4);
        CHECK(j["examples"][part].get<double>() > 0);
    }
    CHECK(place.files() == std::vector<std::string>{"byhand.safetensors", "n"});
}

TEST_CASE("metrics: every so many steps, and the last one of the schedule") {
    const Place place;
    using Steps = std::vector<std::size_t>;
    const auto logged = [&](const std::string& steps, const std::string& every) {
        REQUIRE(place.train({"--steps", steps, "--log-every", every, "--metrics", "m", "--no-save"}).code == 0);
        return steps_of(metrics_of(place, "m"));
    };
    CHECK(logged("25", "7") == Steps{0, 7, 14, 21, 24});
    CHECK(logged("22", "7") == Steps{0, 7, 14, 21});
    CHECK(logged("4", "1") == Steps{0, 1, 2, 3});
    CHECK(logged("5", "100") == Steps{0, 4});
    CHECK(logged("1", "1") == Steps{0});
    // Where nothing is said, a hundred, however many steps there are in all.
    REQUIRE(place.train({"--steps", "260", "--metrics", "m", "--no-save"}).code == 0);
    CHECK(steps_of(metrics_of(place, "m")) == Steps{0, 100, 200, 259});
    CHECK(place.files() == std::vector<std::string>{"m", "n"});
}

TEST_CASE("a line of metrics has the step and its loss, and no clock") {
    const Place place;
    const Outcome outcome = place.train({"--steps", "9", "--log-every", "1", "--metrics", "m", "--no-save"});
    REQUIRE(outcome.code == 0);
    const std::vector<Json> metrics = metrics_of(place, "m");
    REQUIRE(metrics.size() == 9);
    for (const Json& line : metrics) {
        CHECK(line.size() == 2);
        CHECK(std::holds_alternative<std::uint64_t>(line["step"].value()));
        CHECK(line["loss"].is_number());
    }
    // Before its update the first batch's loss is close to ln V: all 14 characters are equally likely.
    CHECK(std::abs(metrics[0]["loss"].get<double>() - std::log(14.0)) < 0.05);
    CHECK(place.read("m").ends_with("}\n"));
    for (const Json& line : metrics) {
        char expected[80];
        std::snprintf(expected, sizeof expected, "loss %.4f", line["loss"].get<double>());
        CHECK(outcome.err.find(expected) != std::string::npos);
    }
}

TEST_CASE("metrics: only a file of metrics is replaced, whole or broken off, not one that begins alike") {
    const Place place;
    const Arguments train = {"--steps", "5", "--no-save", "--metrics", "m"};
    for (const std::string theirs :
         {R"({"step":1,"experiment":"mine","notes":"do not lose"})", R"({"step": my notes)", R"({"step":,)",
          R"({"step":1,"loss":2.5}, and more)", R"({"step":1,"loss":"none)", R"({"step":1,"loss":1,2)", R"({"stop)",
          R"({"step":123456789012345678901,)", R"({"step":1,"loss":2.5,"mine":1})"}) {
        CAPTURE(theirs);
        place.write("m", theirs);
        check_refused(place.train(train), "m: not a metrics file; name another with --metrics, or remove it");
        CHECK(place.read("m") == theirs);
    }
    for (const std::string ours : {"", "{", R"({"step":)", R"({"step":12)", R"({"step":12,"lo)",
                                   R"({"step":12,"loss":)", R"({"step":12,"loss":2.5e-0)", R"({"step":12,"loss":"na)",
                                   R"({"step":1,"loss":2.5})", R"({"step":1,"loss":"-inf"})"}) {
        CAPTURE(ours);
        place.write("m", ours);
        CHECK(place.train(train).code == 0);
        CHECK(lines_of(place.read("m")).size() == 2);
    }
}

TEST_CASE("a line of progress has the mean loss of the steps since the line before") {
    const Place place;
    const Arguments run = {"--steps", "8", "--metrics", "m", "--no-save", "--log-every"};
    REQUIRE(place.train(run + Arguments{"1"}).code == 0);
    const std::vector<Json> losses = metrics_of(place, "m");
    const std::string lines = place.train(run + Arguments{"3"}).err;
    // Steps 0, 1 to 3, 4 to 6, and the last.
    for (const auto& [first, last] : {std::pair(0, 0), {1, 3}, {4, 6}, {7, 7}}) {
        double sum = 0;
        for (int step = first; step <= last; ++step) {
            sum += losses.at(static_cast<std::size_t>(step))["loss"].get<double>();
        }
        char expected[80];
        std::snprintf(expected, sizeof expected, "%d / 8  mean loss %.4f  ", last, sum / (last - first + 1));
        CHECK(lines.find(expected) != std::string::npos);
    }
}

TEST_CASE("a line of progress has the examples per second of this run") {
    const Place place;
    const auto rates = [&](const Arguments& more) {  // of the last line, and the seconds of the run
        const Outcome outcome = place.train(Arguments{"--steps", "600", "--batch", "13", "--json"} + more);
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
    const auto [steps, examples, seconds] = rates({"--save", "whole"});
    CHECK(std::abs(examples / steps / 13 - 1) < 0.1);  // both are rounded
    CHECK(std::abs(examples * seconds / (600 * 13) - 1) < 0.5);
    REQUIRE(place.train({"--steps", "598", "--batch", "13", "--save", "part"}).code == 0);
    const auto [_, after, short_seconds] = rates({"--resume", "part"});
    CHECK(after * short_seconds < 10 * 2 * 13);
}

TEST_CASE("the same command gives the same bytes") {
    const Place place;
    const auto once = [&](const Arguments& more) {
        const Outcome outcome =
            place.train(Arguments{"--steps", "200", "--log-every", "10", "--metrics", "m", "--json"} + more);
        Json j = json_of(outcome);
        j.erase("seconds");
        const std::vector<std::string> result = {byhand::printed_json(j, 0), place.read("m"),
                                                 place.read("byhand.safetensors")};
        CHECK(result[2].size() > 1000);
        return result;
    };
    for (const std::string model : {"fused", "stepwise", "collapsed", "torch"}) {
        if (model == "torch" && !with_torch()) {
            continue;
        }
        CAPTURE(model);
        CHECK(once({"--model", model}) == once({"--model", model}));
    }
    CHECK(once({"--threads", "3", "--hidden", "67"}) == once({"--threads", "1", "--hidden", "67"}));
    CHECK(once({"--seed", "1"})[1] != once({"--seed", "2"})[1]);
    CHECK(once({"--split-seed", "1"})[1] != once({"--split-seed", "2"})[1]);
}

TEST_CASE("train: its summary as a table, CSV and a page, on standard output or in a file that is not the model") {
    const Place place;
    const Json j = json_of(place.train({"--steps", "25", "--json"}));
    const std::vector<std::string> csv = lines_of(place.train({"--steps", "25", "--format", "csv"}).out);
    REQUIRE(csv.size() == 4);
    CHECK(csv[0] == "part,examples,loss\r");
    CHECK(csv[2].starts_with("val," + std::to_string(j["examples"]["val"].get<int>()) + ","));
    CHECK(std::stod(csv[2].substr(csv[2].rfind(',') + 1)) == j["final"]["val"].get<double>());
    const Outcome page = place.train({"--steps", "25", "--format", "html", "--output", "r"});
    CHECK(page.code == 0);
    CHECK(page.out.empty());
    CHECK(place.read("r").starts_with("<!DOCTYPE html>"));
    CHECK(place.read("r").find("<h1>25 steps by fused in ") != std::string::npos);
    check_refused(place.train({"--steps", "3", "--output", "byhand.safetensors"}), "both the model and the report");
    check_refused(place.train({"--steps", "3", "--save", "m", "--output", "m"}), "--output");
    check_refused(place.train({"--steps", "3", "--output", "no/such"}), "no/such");
}

TEST_CASE("no-save writes nothing, and an old model stays") {
    const Place place;
    REQUIRE(place.train({"--steps", "3", "--no-save"}).code == 0);
    CHECK(place.files() == std::vector<std::string>{"n"});
    CHECK(json_of(place.train({"--steps", "3", "--no-save", "--json"}))["saved"].is_null());
    REQUIRE(place.train({"--steps", "3"}).code == 0);
    const std::string before = place.read("byhand.safetensors");
    REQUIRE(place.train({"--steps", "5", "--no-save"}).code == 0);
    CHECK(place.read("byhand.safetensors") == before);
    REQUIRE(place.train({"--steps", "5"}).code == 0);
    CHECK(place.read("byhand.safetensors") != before);
}

TEST_CASE("the saved file has every parameter, the recipe as it was run, and the vocabulary") {
    const Place place;
    REQUIRE(place
                .train({"--steps", "7", "--save", "m.st", "--hidden", "5,3", "--context", "4", "--seed", "9", "--model",
                        "stepwise"})
                .code == 0);
    const StoredFile file = read_stored(place.file("m.st"));
    const Json recipe = parsed_json(file.metadata.at("recipe"));
    CHECK(recipe["network"]["hidden"] == Json({5, 3}));
    CHECK(recipe["network"]["context"] == 4);
    CHECK(recipe["initial"]["seed"] == 9);
    CHECK(recipe["schedule"]["steps"] == 7);
    CHECK(file.metadata.at("vocabulary") == ".abcdeilnorstv");
    CHECK(file.metadata.at("model") == "stepwise");
    CHECK(file.metadata.at("steps") == "7");
    CHECK(file.metadata.at("format") == "byhand");
    using Shape = std::vector<std::size_t>;
    const std::map<std::string, Shape> expected = {{"C", {14, 2}},
                                                   {"W1", {8, 5}},
                                                   {"b1", {5}},
                                                   {"bngain.1", {5}},
                                                   {"bnbias.1", {5}},
                                                   {"W2", {5, 3}},
                                                   {"b2", {3}},
                                                   {"bngain.2", {3}},
                                                   {"bnbias.2", {3}},
                                                   {"W3", {3, 14}},
                                                   {"b3", {14}},
                                                   {"bnmean_running.1", {5}},
                                                   {"bnvar_running.1", {5}},
                                                   {"bnmean_running.2", {3}},
                                                   {"bnvar_running.2", {3}}};
    std::map<std::string, Shape> found;
    for (const auto& [name, tensor] : file.tensors) {
        found[name] = tensor.shape;
        CHECK(tensor.dtype == "F32");
        for (const double value : tensor.doubles()) {
            CHECK(std::isfinite(value));
        }
    }
    CHECK(found == expected);
}

TEST_CASE("what may be trained may be read again") {
    const Place place;
    std::string deepest = "3";
    for (int i = 1; i < 64; ++i) {
        deepest += ",3";
    }
    for (const Arguments& flags :
         {Arguments{"--hidden", deepest}, Arguments{"--hidden", deepest + ",3"}, Arguments{"--bn-eps", "1e30"},
          Arguments{"--bn-eps", "1e31"}, Arguments{"--bn-eps", "0"}, Arguments{"--seed", "18446744073709551615"},
          Arguments{"--split-seed", "18446744073709551615"}, Arguments{"--norm", "none"}}) {
        const Outcome outcome = place.train(Arguments{"--steps", "2", "--save", "m"} + flags);
        CAPTURE(flags, outcome.err);
        if (outcome.code == 0) {
            const Outcome sample = byhand(place, {"sample", "m", "-n", "1"});
            CAPTURE(sample.err);
            CHECK(sample.code == 0);
        } else {
            CHECK(outcome.code == 2);  // or it is refused at once
        }
        std::filesystem::remove(place.file("m"));
    }
}

TEST_CASE("a loss that is not finite ends the training with 1, and nothing is saved") {
    const Place place;
    place.write("r.json", explosive(place));
    const Outcome outcome = place.train({"--recipe", "r.json", "--steps", "9", "--log-every", "1", "--metrics", "m"});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(" of step 1 is ") != std::string::npos);
    CHECK(place.files() == std::vector<std::string>{"m", "n", "r.json"});
    const std::vector<Json> metrics = metrics_of(place, "m");
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[0]["loss"].is_number());
    const std::string last = metrics[1]["loss"].is_string() ? metrics[1]["loss"].get<std::string>() : "";
    CHECK((last == "nan" || last == "inf" || last == "-inf"));
}

TEST_CASE("an update that is not finite is no success either") {
    const Place place;
    // The loss of the only step is that before its update. Of values as large as they are then, no mean can be taken.
    std::string recipe = explosive(place);
    const std::string running = R"("evaluation": "running")";
    recipe.replace(recipe.find(running), running.size(), R"("evaluation": "training-set")");
    place.write("r.json", recipe);
    const Outcome outcome = place.train({"--recipe", "r.json", "--steps", "1", "--json"});
    CAPTURE(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    CHECK_FALSE(place.has("byhand.safetensors"));
}

TEST_CASE("what a training will replace is said before it") {
    const Place place;
    const Arguments train = {"--steps", "7", "--save", "m"};
    const std::string said = "m contains a model after 7 steps, which will be overwritten";
    CHECK(place.train(train).err.find("will be overwritten") == std::string::npos);
    CHECK(place.train(train).err.find(said) != std::string::npos);
    CHECK(place.train(train).out.find("in place of") == std::string::npos);
    const Outcome shorter = place.train({"--steps", "5", "--save", "m"});
    CHECK(
        shorter.err.find("warning: m contains a model after 7 steps, which will be overwritten by one after 5; --save "
                         "names another file\n") != std::string::npos);
    CHECK(shorter.out.find("saved to m, in place of a longer training of 7 steps;") != std::string::npos);
    CHECK(place.train({"--resume", "m", "--steps", "9"}).err.find("will be overwritten") == std::string::npos);
    CHECK(place.train({"--steps", "7", "--no-save"}).err.find("will be overwritten") == std::string::npos);
}

TEST_CASE("metrics that can't be written are told of at the next checkpoint, which is made all the same") {
    const Place place;
    const Outcome outcome =
        place.train({"--steps", "9", "--save-every", "3", "--log-every", "1", "--metrics", "/dev/full", "--save", "m"});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    const std::string told = "the metrics file is incomplete: No space left on device; training continues";
    const std::size_t at = outcome.err.find(told);
    REQUIRE(at != std::string::npos);
    CHECK(outcome.err.find(told, at + 1) == std::string::npos);
    CHECK(at < outcome.err.find("7 / 9"));
    CHECK(read_stored(place.file("m")).metadata.at("steps") == "9");
}

TEST_CASE("metrics that can't be written do not cost the model") {
    const Place place;
    const Outcome outcome = place.train({"--steps", "30", "--metrics", "/dev/full"});
    CHECK(outcome.code == 2);
    CHECK(outcome.err.find("/dev/full") != std::string::npos);
    CHECK(place.has("byhand.safetensors"));
}

TEST_CASE("a path that is no text can be trained on, or is refused before the training") {
    const Place place;
    std::filesystem::copy_file(place.file("n"), place.path() / "n\xff");
    const Outcome outcome = byhand(place, {"train", "--data", "n\xff", "--steps", "30"});
    CAPTURE(outcome.err);
    if (outcome.code != 0) {
        check_refused(outcome, "n\\xff");
    }
}

TEST_CASE("flags override the recipe, one by one") {
    const Place place;
    const auto recipe_with = [&](const Arguments& flags) {
        REQUIRE(place.train(Arguments{"--steps", "2", "--save", "m"} + flags).code == 0);
        return parsed_json(read_stored(place.file("m")).metadata.at("recipe"));
    };
    const Json plain = recipe_with({});
    const auto changed = [&](const Arguments& flags) { return text::diff(plain, recipe_with(flags)); };
    const auto one = [](const std::string& path, const Json& value) {
        return Json::array({{{"op", "replace"}, {"path", path}, {"value", value}}});
    };
    CHECK(changed({"--embedding", "7"}) == one("/network/embedding", 7));
    CHECK(changed({"--hidden", "7"}) == one("/network/hidden/0", 7));
    CHECK(changed({"--context", "7"}) == one("/network/context", 7));
    CHECK(changed({"--batch", "7"}) == one("/batches/size", 7));
    CHECK(changed({"--seed", "7"}) == one("/initial/seed", 7));
    CHECK(changed({"--split-seed", "7"}) == one("/data/split_seed", 7));
    CHECK(changed({"--norm", "after"}) == one("/network/norm/place", "after"));
    CHECK(changed({"--norm", "none"}) == one("/network/norm/place", "none"));
    CHECK(changed({"--bn-eps", "0.25"}) == one("/network/norm/epsilon", 0.25));
    CHECK(changed({"--norm", "before", "--bn-variance", "unbiased"}) == Json::array());
    const Json biased = recipe_with({"--bn-variance", "biased"});
    CHECK(biased["network"]["norm"]["batch_divisor"] == "n");
    CHECK(biased["network"]["norm"]["running_divisor"] == "n");
}

}  // namespace cli_test
