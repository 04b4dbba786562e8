#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

bool has_escape(const Outcome& outcome) {
    return outcome.out.find('\x1b') != std::string::npos || outcome.err.find('\x1b') != std::string::npos;
}

// What a shell offers for the last of these words.
std::vector<std::string> offered(const Arguments& words) {
    const Folder folder;
    const Outcome outcome = succeeds(folder, words, {{"BYHAND_COMPLETE", "1"}});
    CHECK(outcome.err.empty());
    return lines_of(outcome.out);
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("help goes to standard output, and names the options; as a word it is the option") {
    const Folder folder;
    const std::vector<std::pair<Arguments, std::vector<std::string>>> pages = {
        {"", {"compare", "train", "eval", "sample", "gradcheck", "diff", "trace", "recipes", "--version"}},
        {{"compare"}, {"--model", "--steps", "--drift", "--tensor", "--dump", "--recipe", "--batch", "--bn-eps"}},
        {{"sample"}, {"MODEL", "-n", "--seed", "--temperature", "--prefix", "--json"}},
        {{"gradcheck"}, {"--elements", "drawn from", "7 rows"}},
        {"lab padding", {"--file"}}};
    for (const auto& [command, expected] : pages) {
        const Outcome outcome = succeeds(folder, command + "--help");
        CHECK(outcome.err.empty());
        CHECK_FALSE(has_escape(outcome));
        for (const std::string& word : expected) {
            CAPTURE(outcome.out, word);
            CHECK(contains(outcome.out, word));
        }
        CHECK(byhand(folder, "help" + command).out == outcome.out);
    }
    CHECK(folder.files().empty());
}

TEST_CASE("byhand alone says what it is and how to begin") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, {});
    CHECK(outcome.err.empty());
    CHECK(lines_of(outcome.out).size() == 10);
    for (const char* text : {"compared with\nLibTorch", "\n  byhand compare ", "byhand help COMMAND"}) {
        CHECK(contains(outcome.out, text));
    }
}

TEST_CASE("help, recipes and hints keep to 80 columns") {
    const Folder folder;
    std::vector<Arguments> commands = {"--help", "exercise --hint dbnvar:3", "lab padding -h"};
    for (const char* name : {"compare", "mistakes", "train", "eval", "sample", "gradcheck", "exercise", "lab", "bench",
                             "explain", "diff", "trace", "recipes", "completion"}) {
        commands.push_back({name, "--help"});
    }
    for (const Arguments& command : commands) {
        CAPTURE(command);
        const Outcome outcome = succeeds(folder, command);
        for (const std::string& line : lines_of(outcome.out)) {
            CAPTURE(line);
            CHECK(byhand::from_utf8(line).size() <= 80);
        }
    }
    const Outcome recipes = byhand_on_terminal(folder, "recipes", {{"TERM", "xterm"}}, false, 80);
    CHECK(contains(recipes.out, "1,001"));
    for (const std::string& line : lines_of(recipes.out)) {
        CHECK(line.size() <= 81);  // with the terminal's CR
    }
    CHECK(lines_of(byhand(folder, "recipes").out).size() < lines_of(recipes.out).size());  // off it, a line each
    CHECK(
        contains(byhand(folder, "compare --help").out, "the last (not with\n                              --mine)\n"));
}

TEST_CASE("the version is what a bug report needs: compiler, vectors, LibTorch") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, "--version");
    const std::vector<std::string> lines = lines_of(outcome.out);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].starts_with("byhand 0."));
    CHECK(lines[1].starts_with("compiled by "));
    CHECK(lines[2].starts_with("SIMD kernels for "));
    CHECK(contains(lines[3], "LibTorch"));
    CHECK(outcome.err.empty());
}

TEST_CASE("standard output has the data, standard error the messages; off a terminal nothing is coloured or redrawn") {
    const NamesFolder folder;
    const Outcome train = folder.train("--steps 30 --log-every 10"), sample = byhand(folder, "sample -n 7"),
                  eval = byhand(folder, "eval --data n");
    CHECK(contains(train.out, "\n  part   examples    loss\n  train "));
    CHECK_FALSE(contains(train.out, "steps/s"));
    CHECK(contains(train.err, "steps/s"));
    CHECK(contains(train.err, "2342 parameters"));
    CHECK(train.err.find('\r') == std::string::npos);
    CHECK(lines_of(sample.out).size() == 7);
    CHECK(contains(sample.err, "of 7 are new"));
    CHECK(eval.err.empty());
    CHECK(contains(eval.out, "bigram"));
    for (const Outcome& outcome : {train, sample, eval, byhand(folder, "recipes")}) {
        CHECK_FALSE(has_escape(outcome));
    }
    if (with_torch()) {
        CHECK_FALSE(has_escape(byhand(folder, "compare --steps 3")));
    }
}

TEST_CASE("what can't be printed is an error, not a success") {
    const NamesFolder folder;
    REQUIRE(folder.train("--steps 3").code == 0);
    std::vector<Arguments> commands = {
        "recipes",       "recipes notes",        "sample",
        "eval --data n", "sample --json -n 300", "--help",
        "--version",     "lab padding -h",       "diff byhand.safetensors byhand.safetensors"};
    if (with_torch()) {
        commands.push_back("compare");
    }
    for (const Arguments& command : commands) {
        const Outcome outcome = byhand_under(folder, "exec >/dev/full", command);
        CAPTURE(command, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(outcome.err.ends_with("byhand: standard output could not be written\n"));
    }
}

TEST_CASE("a release has canaries on its stack, no writable table of functions, and no fixed address") {
    if (!BYHAND_RELEASE) {
        SKIP("not built as a release");
    }
    const Folder folder;
    const Outcome outcome =
        Process(folder, "/usr/bin/readelf", {"--wide", "--headers", "--dynamic", "--dyn-syms", byhand_program()}, {})
            .wait();
    REQUIRE(outcome.code == 0);
    for (const std::string sign :
         {"DYN (Position-Independent Executable file)", "GNU_RELRO", "BIND_NOW", "__stack_chk_fail"}) {
        CAPTURE(sign);
        CHECK(contains(outcome.out, sign));
    }
    for (const std::string& line : lines_of(outcome.out)) {
        if (contains(line, "GNU_STACK")) {
            CHECK_FALSE(contains(line, "RWE"));
        }
    }
}

TEST_CASE("completion: commands, options and their values") {
    CHECK(offered("comp") == Words{"compare", "completion"});
    CHECK(offered("compare --pl") == Words{"--plant"});
    CHECK(offered({"compare", "--model", ""}) == Words{"stepwise", "collapsed", "fused"});
    CHECK(offered("compare --plant dvar-p") == Words{"dvar-path-forgotten"});
    CHECK(offered("compare --drift --recipe no") == Words{"notes"});
    CHECK(offered("explain dbnvar") == Words{"dbnvar", "dbnvar_inv"});
    CHECK(offered("help comp") == Words{"compare", "completion"});
    CHECK(offered("recipes not") == Words{"notes"});
    CHECK(offered({"completion", ""}) == Words{"bash", "zsh", "fish"});
    CHECK(offered("train --threads a") == Words{"auto"});
    CHECK(offered({"train", "--data", ""}).empty());  // a file
    // The commands that are programs of their own.
    CHECK(offered("lab und") == Words{"undo"});
    CHECK(offered("lab undo --seeds") == Words{"--seeds"});
    CHECK(offered("bench --recipe makemore-b") == Words{"makemore-bn"});
    CHECK(offered("no-command --x").empty());
}

TEST_CASE("completion: a script for each shell, another one is refused") {
    const Folder folder;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        CHECK(contains(succeeds(folder, {"completion", shell}).out, "BYHAND_COMPLETE=1"));
    }
    CHECK(byhand(folder, "completion ksh").code == 2);
    CHECK(byhand(folder, "completion").code == 2);
}

TEST_CASE("the manual page has every command and its options") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, {}, {{"BYHAND_MAN", "1"}});
    CHECK(outcome.out.starts_with(".TH byhand 1 "));
    for (const char* text : {".SH byhand compare\n", ".SH byhand completion\n", ".B \\-\\-plant TEXT\n",
                             ".SH EXIT STATUS\n", ".SH ENVIRONMENT\n", ".B NO_COLOR\n", ".SH EXAMPLES\n"}) {
        CHECK(contains(outcome.out, text));
    }
}

}  // namespace cli_test
