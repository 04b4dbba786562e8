#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

Json report(const Folder& folder, const Arguments& more) {
    return json_of(byhand(folder, "gradcheck --json" + more));
}

}  // namespace

TEST_CASE("gradcheck: every gradient of the stepwise and the collapsed form agrees, in every format") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, "gradcheck");
    CHECK(outcome.err.empty());
    CHECK(outcome.out.starts_with("against finite differences in double: recipe notes, 7 rows"));
    CHECK(contains(outcome.out, "\nthey agree: 40 gradients"));
    const auto in = [&](const std::string& format) { return byhand(folder, "gradcheck --elements 3 " + format).out; };
    CHECK(lines_of(in("--format csv")).size() == 1 + 26 + 14);
    CHECK(in("--format json") == in("--json"));
    CHECK(in("--json --seed 12") != in("--json"));
    CHECK(folder.files().empty());
}

TEST_CASE("gradcheck: the table fits the terminal, $COLUMNS before that, 80 columns elsewhere") {
    const Folder folder;
    const Arguments command = "gradcheck --elements 3";
    const auto widest = [](const std::string& text) {
        return std::ranges::max(lines_of(text), {}, &std::string::size).size();
    };
    const std::string in_pipe = byhand(folder, command).out;
    CHECK(widest(in_pipe) < 80);
    CHECK(contains(in_pipe, "\n\nnot shown at 80 columns: worst element"));
    const Environment plain = {{"NO_COLOR", "1"}};
    CHECK(contains(byhand_on_terminal(folder, command, plain).out, "not shown at 80 columns: worst element"));
    const std::string wide = byhand_on_terminal(folder, command, plain, false, 120).out;
    CHECK(widest(wide) > 80);
    CHECK(widest(wide) <= 120);
    CHECK(contains(wide, "not shown at 120 columns: worst element: by hand | by differences; --format csv has all"));
    const Environment by_variable = {{"NO_COLOR", "1"}, {"COLUMNS", "160"}};
    CHECK_FALSE(contains(byhand_on_terminal(folder, command, by_variable, false, 120).out, "not shown"));
    for (const std::string value : {"", "0", "-7", "wide"}) {
        CHECK(byhand(folder, command, {{"COLUMNS", value}}).out == in_pipe);
    }
    REQUIRE(byhand_on_terminal(folder, command + "--output r", plain, false, 120).code == 0);
    CHECK(folder.read("r") == in_pipe);
}

TEST_CASE("gradcheck --tensor checks the gradients that match, with more elements") {
    const Folder folder;
    const Json j = report(folder, "--tensor dW* --recipe wide");
    std::vector<std::string> names;
    for (const Json& gradient : j["gradients"]) {
        names.push_back(gradient["name"].get<std::string>());
    }
    CHECK(names == std::vector<std::string>{"dW2", "dW1", "dW2", "dW1"});
    CHECK(j["elements"].get<std::size_t>() > report(folder, "--recipe wide")["elements"].get<std::size_t>());
}

TEST_CASE("gradcheck: every shipped recipe agrees, and exit code 1 says that a loss is not finite") {
    const Folder folder;
    for (const std::string recipe : {"notes", "makemore-bn", "makemore-deep", "makemore-ninja", "wide", "bigbatch"}) {
        const Outcome outcome = succeeds(folder, "gradcheck --elements 5 --recipe " + recipe);
        CHECK(contains(outcome.out, "\nthey agree: "));
    }
    // Only one character to look at, and no epsilon: in some batches every column's variance is zero.
    folder.write("n", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    std::set<int> codes;
    const Arguments one = "gradcheck --data n --context 1 --batch 2 --bn-eps 0 --hidden 3";
    for (const std::string seed : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        const Outcome outcome = byhand(folder, one + Arguments{"--seed", seed});
        codes.insert(outcome.code);
        CHECK(contains(outcome.out, "they disagree") == (outcome.code == 1));
    }
    CHECK(codes.contains(1));
    CHECK_FALSE(codes.contains(2));
}

TEST_CASE("gradcheck: options and networks that it refuses") {
    check_refused(Folder(), {{"gradcheck --elements 0", "--elements"},
                             {"gradcheck --tensor W1", "--tensor: no gradient of this network matches W1; "},
                             {"gradcheck --model fused", "--model"},
                             {"gradcheck --batch 1", "a batch of 1 row"},
                             {"gradcheck --recipe nope", "nope"},
                             {"gradcheck --format csv --json", "--json"},
                             {"gradcheck --output no/such", "no/such"}});
}

}  // namespace cli_test
