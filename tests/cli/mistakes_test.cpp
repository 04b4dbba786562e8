#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "base/parsed_json.h"
#include "cli/program.h"

// Planted mistakes are caught, and the right step is blamed.

namespace cli_test {

TEST_CASE("mistakes are listed, those that match a pattern, as text, JSON and CSV") {
    const Folder folder;
    const std::string all = byhand(folder, "mistakes").out;
    CHECK(lines_of(all).size() >= 2 * 40);
    CHECK(contains(all, "https://github.com/pytorch/pytorch/issues/1528"));
    const std::string some = byhand(folder, "mistakes --mistake dvar*", {{"COLUMNS", "300"}}).out;
    const Json listed = json_of(byhand(folder, "mistakes --mistake dvar* --json"));
    REQUIRE_FALSE(listed.empty());
    for (const Json& mistake : listed) {
        CHECK(mistake["name"].get<std::string>().starts_with("dvar"));
        CHECK(contains(some, mistake["what"].get<std::string>()));
    }
    CHECK(lines_of(some).size() == 2 * listed.size() + 5);  // two lines each, heading, columns, and how to plant one
    const auto rows = lines_of(byhand(folder, "mistakes --mistake dvar* --format csv").out);
    CHECK(rows.size() == listed.size() + 1);
    CHECK(rows.front() == "name,what,source\r");
    CHECK(folder.files().empty());
}

TEST_CASE("mistakes --score: they are caught and rightly blamed, some by the battery alone; others do not apply") {
    need_torch();
    const Folder folder;
    const auto score = [&](const std::string& pattern, const Arguments& more) {
        const Json all = json_of(byhand(folder, "mistakes --score --json --mistake " + pattern + more));
        CAPTURE(pattern, all);
        CHECK(all["total"].get<int>() >= 1);
        CHECK(all["caught"] == all["total"]);
        CHECK(all["blamed"] == all["total"]);
        CHECK(all["false_alarms"] == 0);
        return all;
    };
    score("dvar*", "--recipe notes");
    for (const std::string pattern : {"rows-*", "tanh-*-zero", "*-equal-maxim*", "*-in-a-byte"}) {
        CHECK(score(pattern, "--recipe notes --seeds 1")["caught_without_battery"] == 0);
    }
    // Two mistakes in two recipes; those that apply are planted with three seeds.
    const Json some = score("epsilon-*", "--recipe makemore-bn,notes");
    CHECK(some["total"].get<std::size_t>() / 3 + some["not_applicable"].size() == 4);
    CHECK_FALSE(some["not_applicable"].empty());
}

TEST_CASE("mistakes: every one is caught and rightly blamed, with and without ε, deep and shallow", "[long]") {
    need_torch();
    const Folder folder;
    const Json score = json_of(byhand(folder, "mistakes --score --json --recipe notes,makemore-bn"));
    CHECK(score["total"].get<int>() >= 2 * 60);
    CHECK(score["false_alarms"] == 0);
    std::set<std::string> baseline_metrics;
    for (const Json& m : score["mistakes"]) {
        CAPTURE(m);
        CHECK(m["caught"].get<bool>());
        CHECK(m["blamed"].get<bool>());
        CHECK_FALSE(m["culprits"].empty());
        for (const auto& [name, caught] : m["rivals"].items()) {
            baseline_metrics.insert(name);
        }
    }
    CHECK(baseline_metrics == std::set<std::string>{"allclose", "cosine", "loss-10", "max-diff", "mean-diff", "nmse"});
    // At least one mistake passes every metric: a norm's divisor that is off by 1/32 among them.
    CHECK(std::any_of(score["mistakes"].begin(), score["mistakes"].end(), [](const Json& m) {
        return std::ranges::none_of(m["rivals"].items(), [](const auto& metric) {
            const auto& [name, catches] = metric;
            return name != "allclose" && name != "nmse" && name != "cosine" && catches.template get<bool>();
        });
    }));
}

TEST_CASE("mistakes, compare --plant: unknown mistakes, and those that do not apply, are refused with another choice") {
    const Folder folder;
    const Arguments score = "mistakes --score --mistake", plant = "compare --plant";
    check_refused(folder, {{score + "zz*", "no mistake matches zz*"},
                           {score + "relu-* --recipe notes,makemore-bn",
                            "in none of these recipes: notes, makemore-bn. Add --recipe mlp-relu-layernorm"},
                           {score + "silu-upstream-twice", "give one that lists it, by --recipe FILE"},
                           {score + "running-variance-by-own-rows --ranks 2 --recipe notes",
                            "in none of these recipes: notes. Add --recipe bigbatch"}});
    need_torch();
    check_refused(folder, {{plant + "dvar-path-forgoten",
                            "there is no mistake dvar-path-forgoten; the nearest is dvar-path-forgotten (byhand mist"},
                           {plant + "no-such", "there is no mistake no-such (byhand mistakes lists them)"},
                           {plant + "epsilon-left-out --bn-eps 0", "epsilon-left-out"},
                           {plant + "all-zeros --model fused", "--model stepwise"}});
}

}  // namespace cli_test
