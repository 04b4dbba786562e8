#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

using Names = std::set<std::string>;

// The line that "src/manual/tanh/formulas.h:17" names.
std::string source_line(const std::string& file_line) {
    const std::size_t colon = file_line.find(':');
    std::ifstream file(std::string(BYHAND_SOURCES) + "/" + file_line.substr(0, colon));
    std::string line;
    for (int i = std::stoi(file_line.substr(colon + 1)); i > 0; --i) {
        line.clear();
        std::getline(file, line);
    }
    return line;
}

// Everything that is said of a recipe's network, by name.
std::map<std::string, Json> explained(const Folder& folder, const std::string& recipe) {
    std::map<std::string, Json> all;
    for (const Json& one : json_of(byhand(folder, {"explain", "--json", "--recipe", recipe}))) {
        CHECK(all.emplace(one["name"].get<std::string>(), one).second);
    }
    return all;
}

}  // namespace

TEST_CASE(
    "explain --json: in every recipe each value has a meaning, a line of code that is there, readers and numbers") {
    const Folder folder;
    const std::vector<std::string> recipes = lines_of(byhand(folder, {"recipes"}).out);
    CHECK(recipes.size() >= 7);
    for (const std::string& line : recipes) {
        const std::string recipe = line.substr(0, line.find(' '));
        const auto all = explained(folder, recipe);
        CAPTURE(recipe, all.size());
        CHECK(all.size() > 60);
        for (const auto& [name, one] : all) {
            CAPTURE(one);
            CHECK_FALSE(one["meaning"].get<std::string>().empty());
            for (const char* field :
                 {"shape", "function", "file_line", "formula", "reads", "read_by", "values", "mistakes"}) {
                CHECK(one.contains(field));
            }
            CHECK(one["values"]["least"].get<double>() <= one["values"]["mean"].get<double>());
            CHECK(one["values"]["mean"].get<double>() <= one["values"]["most"].get<double>());
            if (!one["function"].is_null()) {
                const std::string function = one["function"].get<std::string>();  // of a sum "f + g"
                CHECK(source_line(one["file_line"].get<std::string>())
                          .find(function.substr(0, function.find(" + ")) + "(") != std::string::npos);
                CHECK_FALSE(one["formula"].get<std::string>().empty());
            }
            CHECK(one["function"].is_null() == one["reads"].empty());
            for (const Json& read : one["reads"]) {
                CHECK(all.at(read.get<std::string>())["read_by"].get<Names>().contains(name));
            }
            for (const Json& reader : one["read_by"]) {
                CHECK(all.at(reader.get<std::string>())["reads"].get<Names>().contains(name));
            }
        }
    }
}

TEST_CASE("explain: the first batch's numbers, one value or all, need no LibTorch and no file") {
    const Folder folder;
    const auto all = explained(folder, "notes");
    CHECK(std::abs(all.at("loss")["values"]["least"].get<double>() - 3.2926) < 1e-4);
    CHECK(all.at("bngain")["values"]["deviation"] == 0);
    CHECK(all.at("dbndiff")["reads"].get<Names>() == Names{"bndiff", "bnvar_inv", "dbndiff2", "dbnraw"});
    CHECK(all.at("dbndiff")["mistakes"].get<Names>() ==
          Names{"dvar-path-forgotten", "second-use-of-bndiff", "square-factor-2"});
    CHECK(json_of(byhand(folder, {"explain", "dbnvar", "--json"})) == Json::array({all.at("dbnvar")}));

    const Outcome one = byhand(folder, {"explain", "dbnvar"});
    CHECK(one.code == 0);
    CHECK(one.err.empty());
    CHECK(one.out.starts_with(
        "dbnvar (100)\n\nhow the loss changes with bnvar: the variance of each unit over the batch\n\n"));
    CHECK(one.out.find("\n  function    batchnorm_variance_backward, src/manual/batchnorm/formulas.h:") !=
          std::string::npos);
    CHECK(one.out.find("\n  derivation  docs/backprop.md#dbnvar\n") != std::string::npos);
    CHECK(one.out.find("\n  sign-dbnvar                 +½ for −½ in the gradient of the variance\n") !=
          std::string::npos);

    const Outcome list = byhand(folder, {"explain"});
    CHECK(list.code == 0);
    CHECK(lines_of(byhand(folder, {"explain", "--format", "csv"}).out).size() == all.size() + 1);
    CHECK(list.out.find("\n  X ") < list.out.find("\n  dbnvar "));
    CHECK(byhand(folder, {"explain", "--format", "html"}).out.starts_with("<!DOCTYPE html>"));
    CHECK(folder.files().empty());
}

TEST_CASE("explain: a name that the network has not is refused with the nearest") {
    const Folder folder;
    check_refused(byhand(folder, {"explain", "dbnvr"}),
                  "the network has no value or operation dbnvr; the nearest is dbnvar ");
    check_refused(byhand(folder, {"explain", "dw1", "--json"}), "the nearest is dW1 ");
    check_refused(byhand(folder, {"explain", ""}), "NAME");
    check_refused(byhand(folder, {"explain", "dbnvar", "--norm", "none"}),
                  "the network has no value or operation dbnvar");
    check_refused(byhand(folder, {"explain", "batchnrm"}), "the nearest is batchnorm ");
    check_refused(byhand(folder, {"explain", "batchnorm", "--norm", "none"}), "the network has no value or operation");
    CHECK(byhand(folder, {"explain", "dbnvar.2", "--hidden", "5,3"}).code == 0);
}

TEST_CASE("explain: the words of a report, whatever the network") {
    const Folder folder;
    for (const std::string word : {"undecided", "within", "exact", "vacuous", "of limit", "catches"}) {
        const Outcome outcome = byhand(folder, {"explain", word, "--norm", "none"});
        CHECK(outcome.code == 0);
        CHECK(outcome.out.starts_with(word + ", in a report\n"));
        CHECK(lines_of(outcome.out).size() > 4);
        CHECK(json_of(byhand(folder, {"explain", word, "--json"}))["word"].get<std::string>() == word);
    }
}

TEST_CASE("explain: an operation's values, in all directions, and no others") {
    const Folder folder;
    std::vector<std::string> names;
    for (const Json& one : json_of(byhand(folder, {"explain", "batchnorm", "--hidden", "5,3", "--json"}))) {
        names.push_back(one.at("name").get<std::string>());
    }
    for (const char* name : {"bnmeani.1", "hpreact.2", "dbnvar.1", "dhprebn.2", "new_bnmean_running.1"}) {
        CHECK(std::ranges::count(names, name) == 1);
    }
    for (const char* name : {"bngain.1", "hprebn.1", "h.1", "W1", "new_bngain.1", "loss"}) {
        CHECK(std::ranges::count(names, name) == 0);
    }
    CHECK(byhand(folder, {"explain", "tanh"}).out.find("the values of tanh") != std::string::npos);
}

}  // namespace cli_test
