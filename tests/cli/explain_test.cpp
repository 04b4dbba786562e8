#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {

TEST_CASE("explain: one value or all, with the first batch's numbers, in every format") {
    const Folder folder;
    const Json all = json_of(byhand(folder, {"explain", "--json"}));
    const auto named = [&](const std::string& name) {
        for (const Json& one : all) {
            if (one["name"] == name) {
                return one;
            }
        }
        FAIL("no value " << name);
        return Json();
    };
    CHECK(std::abs(named("loss")["values"]["least"].get<double>() - 3.2926) < 1e-4);
    CHECK(named("bngain")["values"]["deviation"] == 0);
    CHECK(json_of(byhand(folder, {"explain", "dbnvar", "--json"})) == Json::array({named("dbnvar")}));

    const Outcome one = byhand(folder, {"explain", "dbnvar"});
    CHECK(one.code == 0);
    CHECK(one.err.empty());
    CHECK(one.out.starts_with("dbnvar (100)\n\nhow the loss changes with bnvar: the variance of each unit"));
    CHECK(contains(one.out, "\n  function    batchnorm_variance_backward, src/manual/batchnorm/formulas.h:"));
    CHECK(contains(one.out, "\n  derivation  docs/backprop.md#dbnvar\n"));
    CHECK(contains(one.out, "\n  sign-dbnvar  "));
    CHECK(byhand(folder, {"explain", "dbnvar.2", "--hidden", "5,3"}).code == 0);
    CHECK(lines_of(byhand(folder, {"explain", "--format", "csv"}).out).size() == all.size() + 1);
    CHECK(byhand(folder, {"explain", "--format", "html"}).out.starts_with("<!DOCTYPE html>"));
    CHECK(folder.files().empty());
}

TEST_CASE("explain: a word of a report, and the values of an operation") {
    const Folder folder;
    for (const std::string word : {"undecided", "within", "exact", "vacuous", "of limit", "catches"}) {
        const Outcome outcome = byhand(folder, {"explain", word, "--norm", "none"});
        CHECK(outcome.code == 0);
        CHECK(outcome.out.starts_with(word + ", in a report\n"));
        CHECK(json_of(byhand(folder, {"explain", word, "--json"}))["word"].get<std::string>() == word);
    }
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
}

TEST_CASE("explain: one row of the batch, with the symbols of the notes") {
    const Folder folder;
    const auto row_of = [&](const std::string& name) {
        const Json one = json_of(byhand(folder, {"explain", name, "--row", "3", "--json"})).at(0);
        CHECK(one.at("name").get<std::string>() == name);
        return one.at("row");
    };
    double sum = 0;
    for (const Json& number : row_of("probs")) {
        sum += number.get<double>();
    }
    CHECK(std::abs(sum - 1) < 1e-5);
    CHECK(row_of("X").size() == 3);
    const Outcome all = byhand(folder, {"explain", "--row", "3"});
    CHECK(all.code == 0);
    CHECK(contains(all.out, "numbers of row 3 (`"));
    // One value has its ordinary explanation, with the row's numbers if it has rows.
    for (const std::string name : {"loss", "W1"}) {
        CHECK(row_of(name).is_null());
        CHECK(byhand(folder, {"explain", name, "--row", "3"}).out == byhand(folder, {"explain", name}).out);
    }
    check_refused(folder, {{{"explain", "--row", "32"}, "its rows are 0 to 31"}, {{"explain", ""}, "NAME"}});
}

}  // namespace cli_test
