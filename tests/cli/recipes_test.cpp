#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

const std::vector<std::string> kShipped = {"bigbatch",       "deepwide", "makemore-bn", "makemore-deep",
                                           "makemore-ninja", "notes",    "wide"};

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
