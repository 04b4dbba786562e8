#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "cli/program.h"

namespace cli_test {
namespace {

// What a shell offers for the last of these words.
std::vector<std::string> offered(const Arguments& words) {
    const Folder folder;
    const Outcome outcome = byhand(folder, words, {{"BYHAND_COMPLETE", "1"}});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    return lines_of(outcome.out);
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("completion: commands, options and their values") {
    CHECK(offered({"comp"}) == Words{"compare", "completion"});
    CHECK(offered({"compare", "--pl"}) == Words{"--plant"});
    CHECK(offered({"compare", "--model", ""}) == Words{"stepwise", "collapsed", "fused"});
    CHECK(offered({"compare", "--plant", "dvar-p"}) == Words{"dvar-path-forgotten"});
    CHECK(offered({"compare", "--drift", "--recipe", "no"}) == Words{"notes"});
    CHECK(offered({"explain", "dbnvar"}) == Words{"dbnvar", "dbnvar_inv"});
    CHECK(offered({"help", "comp"}) == Words{"compare", "completion"});
    CHECK(offered({"recipes", "not"}) == Words{"notes"});
    CHECK(offered({"completion", ""}) == Words{"bash", "zsh", "fish"});
    CHECK(offered({"train", "--threads", "a"}) == Words{"auto"});
    CHECK(offered({"train", "--data", ""}).empty());  // a file
    CHECK(offered({"no-command", "--x"}).empty());
}

TEST_CASE("completion: the commands that are programs of their own") {
    CHECK(offered({"lab", "und"}) == Words{"undo"});
    CHECK(offered({"lab", "undo", "--seeds"}) == Words{"--seeds"});
    CHECK(offered({"bench", "--recipe", "makemore-b"}) == Words{"makemore-bn"});
}

TEST_CASE("completion: a script for each shell, another one is refused") {
    const Folder folder;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const Outcome outcome = byhand(folder, {"completion", shell});
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.out, "BYHAND_COMPLETE=1"));
    }
    CHECK(byhand(folder, {"completion", "ksh"}).code == 2);
    CHECK(byhand(folder, {"completion"}).code == 2);
}

TEST_CASE("the manual page has every command and its options") {
    const Folder folder;
    const Outcome outcome = byhand(folder, {}, {{"BYHAND_MAN", "1"}});
    CHECK(outcome.code == 0);
    CHECK(outcome.out.starts_with(".TH byhand 1 "));
    for (const char* text : {".SH byhand compare\n", ".SH byhand completion\n", ".B \\-\\-plant TEXT\n",
                             ".SH EXIT STATUS\n", ".SH ENVIRONMENT\n", ".B NO_COLOR\n", ".SH EXAMPLES\n"}) {
        CHECK(contains(outcome.out, text));
    }
}

}  // namespace cli_test
