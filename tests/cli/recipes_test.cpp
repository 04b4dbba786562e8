#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {

TEST_CASE("the recipes are listed, each with a line about it") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, "recipes");
    CHECK(outcome.err.empty());
    for (const char* line : {"bigbatch  ", "\nmakemore-wavenet  ", "\nwide  "}) {
        CHECK(contains(outcome.out, line));
    }
    for (const std::string& line : lines_of(outcome.out)) {
        CHECK(line.size() > 30);
    }
}

TEST_CASE("recipes NAME and --expanded print JSON that reads back as the recipe, and trains the same model") {
    const NamesFolder folder;
    for (const std::string name : {"notes", "makemore-wavenet"}) {
        const Outcome printed = byhand(folder, {"recipes", name}),
                      expanded = byhand(folder, {"recipes", name, "--expanded"});
        CHECK(json_of(printed)["name"] == name);
        CHECK(!json_of(expanded)["network"].contains("hidden"));
        for (const std::string& text : {printed.out, expanded.out}) {
            folder.write("r.json", text);
            CHECK(byhand(folder, "recipes ./r.json").out == printed.out);
        }
    }
    folder.write("r.json", byhand(folder, "recipes makemore-deep").out);
    const auto trained = [&](const std::string& recipe) {
        succeeds(folder, "train --data n --steps 9 --log-every 1 --metrics m --save s --recipe " + recipe);
        return folder.read("m") + folder.read("s");
    };
    CHECK(trained("makemore-deep") == trained("r.json"));
    check_refused(byhand(folder, "recipes --expanded"), "--expanded: the recipe is missing");
    // A file of the same name does not hide a shipped recipe.
    folder.write("notes", "no recipe");
    succeeds(folder, "recipes notes");
    check_refused(byhand(folder, "recipes ./notes"), "./notes");
}

TEST_CASE("a network that lists its layers is checked, explained, trained and compared like any other") {
    const Folder folder;
    const Arguments network = {"--recipe", test_recipe("listed")};
    succeeds(folder, "gradcheck --elements 5" + network);
    CHECK(contains(byhand(folder, "explain dhprebn.3" + network).out, "batchnorm"));
    for (const std::string model : {"stepwise", "fused"}) {
        succeeds(folder, "train --steps 20 --model " + model + " --save " + model + network);
        succeeds(folder, {"eval", model});
    }
    if (with_torch()) {
        succeeds(folder, "compare --model stepwise,collapsed,fused --steps 9" + network);
    }
    // Options change the list where it has a place for what they say, as they change the words of other recipes.
    const Arguments other = "--hidden 7,7,5 --residual --norm before --norm-kind layer --activation gelu";
    CHECK(contains(byhand(folder, "explain hpreln.1" + other + network).out, "the layer norm's input"));
    check_refused(byhand(folder, "explain --hidden 3" + network), "--hidden: recipe listed lists its layers, 3");
}

}  // namespace cli_test
