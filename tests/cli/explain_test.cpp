#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
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
    for (const std::string text : {"\n  function    batchnorm_variance_backward, src/manual/batchnorm/formulas.h:",
                                   "\n  derivation  docs/backprop.md#dbnvar\n", "\n  sign-dbnvar  "}) {
        CHECK(contains(one.out, text));
    }
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
    const auto sum = [&](const std::string& name) {
        double total = 0;
        for (const Json& number : row_of(name)) {
            total += number.get<double>();
        }
        return total;
    };
    CHECK(row_of("probs").size() == 27);
    CHECK(std::abs(sum("probs") - 1) < 1e-5);
    CHECK(std::abs(sum("dlogits")) < 1e-7);
    CHECK(row_of("X").size() == 3);
    const Outcome all = byhand(folder, {"explain", "--row", "3"});
    CHECK(all.code == 0);
    CHECK(contains(all.out, "numbers of row 3 (`"));
    // One value has its ordinary explanation, with the row's numbers if it has rows.
    for (const std::string name : {"loss", "W1"}) {
        CHECK(row_of(name).is_null());
        CHECK(byhand(folder, {"explain", name, "--row", "3"}).out == byhand(folder, {"explain", name}).out);
    }
    const Outcome one = byhand(folder, {"explain", "logits", "--row", "3"});
    CHECK(one.out.starts_with("logits (32, 27)\n"));
    CHECK(contains(one.out, "\n  formula "));
    CHECK(contains(one.out, "\n  row 3 (`"));
    check_refused(folder, {{{"explain", "--row", "32"}, "its rows are 0 to 31"}});
}

TEST_CASE("explain: the rows of an odd batch are all of each value that has rows, with positions too") {
    const Folder folder;
    const auto with = [&](const std::string& row) {
        return json_of(byhand(folder, {"explain", "--recipe", "makemore-wavenet", "--hidden", "6,5,4", "--batch", "3",
                                       "--row", row, "--json"}));
    };
    const std::vector<Json> rows = {with("0"), with("1"), with("2")};
    std::map<std::string, std::size_t> sizes;
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
        const auto name = rows[0][i].at("name").get<std::string>();
        CAPTURE(name);
        std::vector<double> numbers;
        for (const Json& row : rows) {
            for (const Json& number : row[i].at("row").is_null() ? Json::array() : row[i].at("row")) {
                numbers.push_back(number.get<double>());
            }
        }
        if (numbers.empty()) {
            continue;
        }
        std::size_t size = 1;
        for (const Json& extent : rows[0][i].at("shape")) {
            size *= extent.get<std::size_t>();
        }
        CHECK(numbers.size() == size);
        CHECK(std::ranges::min(numbers) == rows[0][i].at("values").at("least").get<double>());
        CHECK(std::ranges::max(numbers) == rows[0][i].at("values").at("most").get<double>());
        sizes[name] = size / 3;
    }
    CHECK(sizes.at("X") == 8);
    CHECK(sizes.at("h.1") == 4 * 6);  // four pairs of positions
    CHECK(sizes.at("dh.2") == 2 * 5);
    CHECK(sizes.at("logits") == 27);
    CHECK_FALSE(sizes.contains("W1"));
}

TEST_CASE("explain: an unknown name is refused with the nearest") {
    check_refused(Folder(), {{{"explain", "dbnvr"}, "no value or operation dbnvr; the nearest is dbnvar "},
                             {{"explain", "dw1", "--json"}, "the nearest is dW1 "},
                             {{"explain", ""}, "NAME"},
                             {{"explain", "dbnvar", "--norm", "none"}, "the network has no value or operation dbnvar"},
                             {{"explain", "batchnrm"}, "the nearest is batchnorm "}});
}

}  // namespace cli_test
