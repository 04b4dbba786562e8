#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/dropout_recipe.h"
#include "cli/program.h"

namespace cli_test {
namespace {

Json report(const Folder& folder, const Arguments& more) {
    return json_of(byhand(folder, Arguments{"gradcheck", "--json"} + more));
}

const Json& named(const Json& report, const std::string& model, const std::string& name) {
    for (const Json& g : report["gradients"]) {
        if (g["model"].get<std::string>() == model && g["name"].get<std::string>() == name) {
            return g;
        }
    }
    FAIL(model << " has no " << name);
    throw std::logic_error("unreachable");
}

}  // namespace

TEST_CASE("gradcheck: a table of every gradient, stepwise and collapsed, and nothing is written") {
    const Folder folder;
    const Outcome outcome = byhand(folder, {"gradcheck"});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.starts_with("against finite differences in double: recipe notes, 7 rows"));
    CHECK(outcome.out.find("\nstepwise\n") != std::string::npos);
    CHECK(outcome.out.find("\ncollapsed\n") != std::string::npos);
    CHECK(outcome.out.find("\nthey agree: 40 gradients") != std::string::npos);
    for (const std::string name : {"dlogprobs", "dlogit_maxes", "dbnvar", "dW1", "dC"}) {
        CHECK(outcome.out.find("\n  " + name + " ") != std::string::npos);
    }
    CHECK(outcome.out.find('\x1b') == std::string::npos);
    CHECK(folder.files().empty());
}

TEST_CASE("gradcheck: the table fits the terminal, $COLUMNS before that, 80 columns elsewhere") {
    const Folder folder;
    const Arguments command = {"gradcheck", "--elements", "3"};
    const auto widest = [](const std::string& text) {
        std::size_t width = 0;
        for (const std::string& line : lines_of(text)) {
            width = std::max(width, line.size());
        }
        return width;
    };
    const std::string in_pipe = byhand(folder, command).out;
    CHECK(widest(in_pipe) < 80);
    CHECK(in_pipe.find("\n  not shown at 80 columns: worst element") != std::string::npos);
    const Environment plain = {{"NO_COLOR", "1"}};
    const std::string narrow = byhand_on_terminal(folder, command, plain).out;
    CHECK(narrow.find("not shown at 80 columns: worst element") != std::string::npos);
    const std::string wide = byhand_on_terminal(folder, command, plain, false, 120).out;
    CHECK(widest(wide) > 80);
    CHECK(widest(wide) <= 120);
    CHECK(wide.find("not shown at 120 columns: worst element: by hand | by differences; --format csv has all") !=
          std::string::npos);
    const std::string by_variable =
        byhand_on_terminal(folder, command, {{"NO_COLOR", "1"}, {"COLUMNS", "160"}}, false, 120).out;
    CHECK(by_variable.find("not shown") == std::string::npos);
    CHECK(by_variable.find("worst element: by hand | by differences") != std::string::npos);
    for (const std::string value : {"", "0", "-7", "wide"}) {
        CHECK(byhand(folder, command, {{"COLUMNS", value}}).out == in_pipe);
    }
    REQUIRE(byhand_on_terminal(folder, command + Arguments{"--output", "r"}, plain, false, 120).code == 0);
    CHECK(folder.read("r") == in_pipe);
}

TEST_CASE("gradcheck: as CSV, JUnit and a page") {
    const Folder folder;
    const auto in = [&](const std::string& format) {
        const Outcome outcome = byhand(folder, {"gradcheck", "--elements", "3", "--format", format});
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    CHECK(lines_of(in("csv")).size() == 1 + 26 + 14);
    CHECK(in("csv").find("\r\ndW1,collapsed,") != std::string::npos);
    CHECK(in("junit").find("tests=\"40\" failures=\"0\"") != std::string::npos);
    CHECK(in("html").find("<caption>collapsed</caption>") != std::string::npos);
    CHECK(in("json") == byhand(folder, {"gradcheck", "--elements", "3", "--json"}).out);
    check_refused(byhand(folder, {"gradcheck", "--format", "csv", "--json"}), "--json");
    check_refused(byhand(folder, {"gradcheck", "--output", "no/such"}), "no/such");
}

TEST_CASE("gradcheck as JSON: every field, and the figures fit each other") {
    const Folder folder;
    const Json j = report(folder, {});
    CHECK(j["verdict"].get<std::string>() == "agree");
    CHECK(j["first_divergence"].is_null());
    CHECK(j["rows"] == 7);
    CHECK(j["elements"] == 32);
    CHECK(j["gradients"].size() == 26 + 14);
    for (const Json& g : j["gradients"]) {
        CAPTURE(g);
        CHECK(g["used"].get<double>() <= 1);
        CHECK(g["undecided"] == 0);
        CHECK(g["checked"].get<int>() <= g["count"].get<int>());
        CHECK((g["checked"] == 32 || g["checked"] == g["count"]));
        CHECK(g["worst"]["index"].size() == g["shape"].size());
        CHECK(g["function"].is_string());
        const double apart = std::abs(g["worst"]["by_hand"].get<double>() - g["worst"]["by_differences"].get<double>());
        CHECK(apart <= g["limit"].get<double>());
        CHECK(apart <= g["error"].get<double>());
    }
    CHECK(named(j, "stepwise", "dlogit_maxes")["verdict"].get<std::string>() == "zero within rounding");
    CHECK(named(j, "collapsed", "db1")["verdict"].get<std::string>() == "zero within rounding");
    CHECK(named(j, "stepwise", "dW1")["verdict"].get<std::string>() == "within");
    CHECK(named(j, "stepwise", "dW1")["catches"].get<double>() < 1e-6);
}

TEST_CASE("gradcheck --tensor checks the gradients that match, with more elements") {
    const Folder folder;
    const Json j = report(folder, {"--tensor", "dW*", "--recipe", "wide"});
    std::vector<std::string> names;
    for (const Json& gradient : j["gradients"]) {
        names.push_back(gradient["name"].get<std::string>());
    }
    CHECK(names == std::vector<std::string>{"dW2", "dW1", "dW2", "dW1"});
    CHECK(j["elements"].get<std::size_t>() > report(folder, {"--recipe", "wide"})["elements"].get<std::size_t>());
}

TEST_CASE("gradcheck: the same seed gives the same bytes, another seed others") {
    const Folder folder;
    const Arguments command = {"gradcheck", "--json", "--seed", "11"};
    const std::string first = byhand(folder, command).out;
    CHECK(byhand(folder, command).out == first);
    CHECK(byhand(folder, {"gradcheck", "--json", "--seed", "12"}).out != first);
}

TEST_CASE("gradcheck: every shipped recipe agrees") {
    const Folder folder;
    for (const std::string recipe : {"notes", "makemore-bn", "makemore-deep", "makemore-ninja", "wide", "bigbatch"}) {
        INFO(recipe);
        const Outcome outcome = byhand(folder, {"gradcheck", "--recipe", recipe, "--elements", "5"});
        CHECK(outcome.code == 0);
        CHECK(outcome.out.find("\nthey agree: ") != std::string::npos);
    }
}

TEST_CASE("gradcheck: the network's options hold, and models may be chosen") {
    const Folder folder;
    const Json j = report(folder, {"--model", "collapsed", "--norm", "after", "--hidden", "9,5", "--batch", "11",
                                   "--bn-variance", "biased", "--elements", "6"});
    CHECK(j["rows"] == 11);
    std::set<std::string> models;
    for (const Json& g : j["gradients"]) {
        models.insert(g["model"].get<std::string>());
        CHECK(g["checked"].get<int>() <= 6);
    }
    CHECK(models == std::set<std::string>{"collapsed"});
    CHECK(named(j, "collapsed", "dhpreact.2")["shape"] == Json({11, 5}));
    // Before a norm a bias moves nothing; before tanh it does.
    CHECK(named(j, "collapsed", "db1")["verdict"].get<std::string>() == "within");
}

TEST_CASE("gradcheck: dropouts, a residual and tied weights in one network") {
    const Folder folder;
    folder.write("d.json", dropout_recipe(folder));
    const Json j = report(folder, {"--recipe", "d.json", "--batch", "11", "--elements", "17"});
    CHECK(j["verdict"].get<std::string>() == "agree");
    for (const std::string model : {"stepwise", "collapsed"}) {
        for (const std::string name : {"dhpredrop.1", "dhpredrop.2", "dhpreres.2", "dh.1", "dC", "dW2"}) {
            CHECK(named(j, model, name)["verdict"].get<std::string>() == "within");
        }
        CHECK(named(j, model, "dC")["shape"] == Json({27, 9}));
    }
    for (const Json& g : j["gradients"]) {
        CHECK(g["name"].get<std::string>() != "dW3");  // the last linear has no W of its own
    }
}

TEST_CASE("gradcheck: a loss that is not finite is no agreement") {
    // Only one character to look at, and no epsilon: every column's variance is zero.
    const Folder folder;
    folder.write("n", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    bool seen = false;
    for (const std::string seed : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        const Outcome outcome = byhand(folder, {"gradcheck", "--data", "n", "--context", "1", "--batch", "2",
                                                "--bn-eps", "0", "--hidden", "3", "--seed", seed, "--json"});
        if (outcome.code == 1) {
            seen = true;
            const Json j = parsed_json(outcome.out);
            CHECK(j["verdict"].get<std::string>() == "disagree");
            CHECK(j["first_divergence"].is_string());
            CHECK(named(j, "stepwise", "dW1")["verdict"].get<std::string>() == "non-finite");
        } else {
            CHECK(outcome.code == 0);
        }
    }
    CHECK(seen);
}

TEST_CASE("gradcheck: what it refuses") {
    const Folder folder;
    for (const std::string value : {"0", "-1", "x", ""}) {
        check_refused(byhand(folder, {"gradcheck", "--elements", value}), "--elements");
    }
    check_refused(byhand(folder, {"gradcheck", "--tensor", "W1"}),
                  "--tensor: no gradient of this network matches W1; ");
    check_refused(byhand(folder, {"gradcheck", "--model", "fused"}), "--model");
    check_refused(byhand(folder, {"gradcheck", "--batch", "1"}), "a batch of 1 row");
    check_refused(byhand(folder, {"gradcheck", "--recipe", "nope"}), "nope");
}

}  // namespace cli_test
