#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "base/parsed_json.h"
#include "cli/program.h"

// Planted mistakes are caught, and the right step is blamed.

namespace cli_test {
namespace {

Json compared(const Folder& folder, const Arguments& more, int code) {
    const Outcome outcome = byhand(folder, Arguments{"compare", "--format", "json"} + more);
    CAPTURE(more, outcome.err);
    REQUIRE(outcome.code == code);
    return parsed_json(outcome.out);
}

std::set<std::string> names(const Json& list) {
    std::set<std::string> all;
    for (const Json& name : list) {
        all.insert(name.get<std::string>());
    }
    return all;
}

}  // namespace

TEST_CASE("mistakes are listed with what they are and where they come from") {
    const Folder folder;
    const Outcome outcome = byhand(folder, {"mistakes"});
    CHECK(outcome.code == 0);
    const std::vector<std::string> lines = lines_of(outcome.out);
    CHECK(lines.size() >= 2 * 40);
    CHECK(outcome.out.find("dvar-path-forgotten") != std::string::npos);
    CHECK(outcome.out.find("https://github.com/pytorch/pytorch/issues/1528") != std::string::npos);
    CHECK(folder.files().empty());
}

TEST_CASE("mistakes: a pattern chooses, for a reader and for a program, and one that fits nothing is refused") {
    const Folder folder;
    const std::string some = byhand(folder, {"mistakes", "--mistake", "dvar*"}, {{"COLUMNS", "300"}}).out;
    const Json listed = json_of(byhand(folder, {"mistakes", "--mistake", "dvar*", "--json"}));
    REQUIRE_FALSE(listed.empty());
    for (const Json& mistake : listed) {
        CHECK(mistake["name"].get<std::string>().starts_with("dvar"));
        CHECK(some.find(mistake["what"].get<std::string>()) != std::string::npos);
    }
    CHECK(lines_of(some).size() == 2 * listed.size() + 5);  // two lines each, heading, columns, and how to plant one
    const std::vector<std::string> rows =
        lines_of(byhand(folder, {"mistakes", "--mistake", "dvar*", "--format", "csv"}).out);
    CHECK(rows.size() == listed.size() + 1);
    CHECK(rows.front() == "name,what,source\r");
    check_refused(byhand(folder, {"mistakes", "--mistake", "zz*"}), "no mistake matches zz*");
    check_refused(byhand(folder, {"mistakes", "--score", "--mistake", "zz*"}), "no mistake matches zz*");
}

TEST_CASE("mistakes: some are caught and rightly blamed") {
    need_torch();
    const Folder folder;
    for (const std::string pattern : {"dvar*", "gain-*"}) {
        CAPTURE(pattern);
        const Arguments some = {"--recipe", "notes", "--mistake", pattern};
        const Json score = json_of(byhand(folder, Arguments{"mistakes", "--score", "--json"} + some));
        CHECK(score["total"].get<int>() >= 3);
        CHECK(score["caught"] == score["total"]);
        CHECK(score["blamed"] == score["total"]);
        CHECK(score["false_alarms"] == 0);
    }
}

TEST_CASE("mistakes: every one is caught and rightly blamed, with and without ε, deep and shallow", "[long]") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, {"mistakes", "--score", "--json", "--recipe", "notes,makemore-bn"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    const Json score = parsed_json(outcome.out);
    CHECK(score["total"].get<int>() >= 2 * 60);
    CHECK(score["caught"] == score["total"]);
    CHECK(score["blamed"] == score["total"]);
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
    // What every metric lets pass in one recipe at least: a norm's divisor that is off by 1/32 among them.
    const auto passes_all = [](const Json& m) {
        return std::ranges::none_of(m["rivals"].items(), [](const auto& metric) {
            const auto& [name, passes] = metric;
            return name != "allclose" && name != "nmse" && name != "cosine" && passes.template get<bool>();
        });
    };
    CHECK(std::any_of(score["mistakes"].begin(), score["mistakes"].end(), passes_all));
}

TEST_CASE("mistakes: what shows only on some data is caught by the battery, and not by the batch and one draw") {
    need_torch();
    const Folder folder;
    for (const std::string pattern : {"rows-*", "tanh-*-zero", "*-equal-maxim*", "*-in-a-byte"}) {
        CAPTURE(pattern);
        const Arguments some = {"--recipe", "notes", "--seeds", "1", "--mistake", pattern};
        const Json score = json_of(byhand(folder, Arguments{"mistakes", "--score", "--json"} + some));
        CHECK(score["total"].get<int>() >= 1);
        CHECK(score["caught"] == score["total"]);
        CHECK(score["blamed"] == score["total"]);
        CHECK(score["caught_without_battery"] == 0);
    }
}

TEST_CASE("mistakes that some recipe has no place for are named, and not counted") {
    need_torch();
    const Folder folder;
    const Outcome outcome =
        byhand(folder, {"mistakes", "--score", "--json", "--recipe", "makemore-bn,notes", "--mistake", "epsilon-*"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    const Json score = parsed_json(outcome.out);
    // Two mistakes in two recipes; those that have a place are planted with three seeds.
    CHECK(score["total"].get<std::size_t>() / 3 + score["not_applicable"].size() == 4);
    CHECK_FALSE(score["not_applicable"].empty());
}

TEST_CASE("mistakes --score: mistakes that no recipe has a place for are refused, with a recipe that has one") {
    const Folder folder;
    check_refused(byhand(folder, {"mistakes", "--score", "--mistake", "relu-*", "--recipe", "notes,makemore-bn"}),
                  "in none of these recipes: notes, makemore-bn. Add --recipe mlp-relu-layernorm");
    check_refused(byhand(folder, {"mistakes", "--score", "--mistake", "silu-upstream-twice"}),
                  "give one that lists it, by --recipe FILE");
    check_refused(byhand(folder, {"mistakes", "--score", "--ranks", "2", "--recipe", "notes", "--mistake",
                                  "running-variance-by-own-rows"}),
                  "in none of these recipes: notes. Add --recipe bigbatch");
}

TEST_CASE("compare --plant: the culprit is named, and what inherits from it is not") {
    need_torch();
    const Folder folder;
    const Json report = compared(folder, {"--plant", "dvar-path-forgotten"}, 1);
    CHECK(report["verdict"] == "disagree");
    CHECK(report["first_divergence"] == "dbndiff");
    CHECK(names(report["culprits"]) == std::set<std::string>{"dbndiff"});
    const std::set<std::string> victims = names(report["victims"]);
    CHECK(victims.contains("dhprebn"));
    CHECK(victims.contains("dC"));
    CHECK_FALSE(victims.contains("dW2"));
    CHECK(report["inherited"]["dhprebn"] == "dbndiff");
}

TEST_CASE("compare --plant: what only a probe can show is said to be without effect") {
    need_torch();
    const Folder folder;
    const Json report = compared(folder, {"--plant", "maximum-gradient-left-out"}, 1);
    CHECK(names(report["culprits"]) == std::set<std::string>{"dlogits"});
    CHECK(report["blame"][0]["without_effect"].get<bool>());
    CHECK(report["victims"].empty());
}

TEST_CASE("compare --plant: steps in the wrong order, and a step that writes over what it reads") {
    need_torch();
    const Folder folder;
    const Json order = compared(folder, {"--plant", "steps-out-of-order"}, 1);
    CHECK(names(order["culprits"]) == std::set<std::string>{"dnorm_logits"});
    CHECK(order["blame"][0]["why"].get<std::string>().find("dcounts") != std::string::npos);
    const Json early = compared(folder, {"--plant", "update-too-early"}, 1);
    CHECK(names(early["culprits"]) == std::set<std::string>{"new_W2"});
    CHECK(early["blame"][0]["why"].get<std::string>().find("overwrites W2") != std::string::npos);
}

TEST_CASE("compare --plant: a name that is none, a network without a place for it, a model that has no steps") {
    need_torch();
    const Folder folder;
    check_refused(byhand(folder, {"compare", "--plant", "dvar-path-forgoten"}),
                  "there is no mistake dvar-path-forgoten; the nearest is dvar-path-forgotten (byhand mistakes");
    check_refused(byhand(folder, {"compare", "--plant", "no-such"}),
                  "there is no mistake no-such (byhand mistakes lists them)");
    check_refused(byhand(folder, {"compare", "--plant", "epsilon-left-out", "--bn-eps", "0"}), "epsilon-left-out");
    check_refused(byhand(folder, {"compare", "--plant", "all-zeros", "--model", "fused"}), "--model stepwise");
}

}  // namespace cli_test
