#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

const std::vector<std::string> kShipped = {
    "bigbatch", "deepwide", "makemore-bn", "makemore-deep", "makemore-ninja", "makemore-wavenet", "mlp-relu-layernorm",
    "notes",    "opennn",   "resnet-mlp",  "wide"};

// The recipe notes with layers that "hidden" and "norm" can't say.
std::string listed_recipe(const Folder& folder) {
    Json recipe = json_of(byhand(folder, {"recipes", "notes"}));
    for (const char* key : {"hidden", "bias"}) {
        recipe["network"].erase(key);
    }
    for (const char* key : {"place", "output"}) {
        recipe["network"]["norm"].erase(key);
    }
    recipe["network"]["layers"] = parsed_json(
        R"([{"op": "linear", "outputs": 17}, {"op": "tanh"}, {"op": "linear", "outputs": 5, "bias": false},
            {"op": "batchnorm"}, {"op": "linear", "outputs": 9}, {"op": "tanh"}, {"op": "batchnorm"},
            {"op": "linear"}, {"op": "tanh"}])");
    return byhand::printed_json(recipe, 0);
}

}  // namespace

TEST_CASE("the recipes are listed, each with a line about it") {
    const Folder folder;
    const Outcome outcome = byhand(folder, {"recipes"});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    const std::vector<std::string> lines = lines_of(outcome.out);
    REQUIRE(lines.size() == kShipped.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(lines[i].starts_with(kShipped[i] + " "));
        CHECK(lines[i].size() > 30);
    }
}

TEST_CASE("a printed recipe is JSON, and prints again as it was") {
    const Folder folder;
    for (const std::string& name : kShipped) {
        const Outcome printed = byhand(folder, {"recipes", name});
        const Json recipe = json_of(printed);
        CHECK(recipe["name"] == name);
        CHECK(printed.out.ends_with("}\n"));
        folder.write("r.json", printed.out);
        CHECK(byhand(folder, {"recipes", "./r.json"}).out == printed.out);
    }
}

TEST_CASE("recipes --expanded lists every operation, and reads back as the recipe") {
    const Folder folder;
    for (const std::string& name : kShipped) {
        const Outcome expanded = byhand(folder, {"recipes", name, "--expanded"});
        const Json network = json_of(expanded)["network"];
        CHECK(!network.contains("hidden"));
        CHECK(network["layers"][0]["op"] == (name == "makemore-wavenet" ? "flatten" : "linear"));
        folder.write("r.json", expanded.out);
        CHECK(byhand(folder, {"recipes", "./r.json"}).out == byhand(folder, {"recipes", name}).out);
    }
    check_refused(byhand(folder, {"recipes", "--expanded"}), "--expanded: the recipe is missing");
}

TEST_CASE("a network that lists its layers is checked, explained and trained like any other") {
    const Folder folder;
    folder.write("r.json", listed_recipe(folder));
    const Arguments network = {"--recipe", "r.json"};
    const Outcome gradients = byhand(folder, Arguments{"gradcheck", "--elements", "5"} + network);
    CAPTURE(gradients.out, gradients.err);
    CHECK(gradients.code == 0);
    CHECK(byhand(folder, Arguments{"explain", "dhprebn.3"} + network).out.find("batchnorm") != std::string::npos);
    for (const std::string model : {"stepwise", "fused"}) {
        const Outcome outcome =
            byhand(folder, Arguments{"train", "--model", model, "--steps", "20", "--save", model} + network);
        CAPTURE(outcome.err);
        CHECK(outcome.code == 0);
        CHECK(byhand(folder, {"eval", model}).code == 0);
    }
    // What would change the list is refused; the widths alone can be others.
    check_refused(byhand(folder, Arguments{"explain", "--norm", "none"} + network), "--norm: recipe ");
    check_refused(byhand(folder, Arguments{"explain", "--hidden", "3"} + network), "--hidden: recipe ");
    CHECK(byhand(folder, Arguments{"explain", "W2", "--hidden", "3,4,5"} + network).out.find("(3, 4)") !=
          std::string::npos);
    check_refused(byhand(folder, Arguments{"lab", "placement"} + network), "lists its layers");
}

TEST_CASE("a network that lists its layers agrees with LibTorch in all three forms") {
    need_torch();
    const Folder folder;
    folder.write("r.json", listed_recipe(folder));
    const Outcome outcome =
        byhand(folder, {"compare", "--recipe", "r.json", "--model", "stepwise,collapsed,fused", "--steps", "9"});
    CAPTURE(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}

TEST_CASE("a recipe taken back from its file makes the same run") {
    const Folder folder;
    folder.write("n", file_of(plain_names()));
    for (const std::string& name : kShipped) {
        CAPTURE(name);
        folder.write("r.json", byhand(folder, {"recipes", name}).out);
        const auto run = [&](const std::string& recipe) {
            const Outcome outcome = byhand(folder, {"train", "--recipe", recipe, "--data", "n", "--steps", "9",
                                                    "--log-every", "1", "--metrics", "m", "--save", "s"});
            CAPTURE(outcome.err);
            REQUIRE(outcome.code == 0);
            return folder.read("m") + folder.read("s");
        };
        CHECK(run(name) == run("r.json"));
    }
}

TEST_CASE("a file in the folder does not stand in a shipped recipe's way") {
    const Folder folder;
    folder.write("notes", "no recipe");
    CHECK(byhand(folder, {"recipes", "notes"}).code == 0);
    check_refused(byhand(folder, {"recipes", "./notes"}), "./notes");
}

}  // namespace cli_test
