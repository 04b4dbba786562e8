// Every flag of every command, as the help lists them, given what nobody means: it is refused in one line, or taken
// without harm.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

struct Flag {
    std::string name, type;  // "--steps", "UINT"
};

// From lines as "  --steps UINT=1 Excludes: --mine". Those that take no value are left out.
std::vector<Flag> flags_in(const std::string& help) {
    std::vector<Flag> flags;
    for (const std::string& line : lines_of(help)) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin == std::string::npos || begin == 0 || line[begin] != '-') {
            continue;
        }
        const std::size_t end = line.find(' ', begin);
        const std::size_t type_end = line.find_first_of(" =:", end + 1);
        if (end == std::string::npos) {
            continue;
        }
        const Flag flag{line.substr(begin, end - begin), line.substr(end + 1, type_end - end - 1)};
        if (flag.type == "TEXT" || flag.type == "UINT" || flag.type == "FLOAT") {
            flags.push_back(flag);
        }
    }
    return flags;
}

// A command that ends soon, whichever of these flags comes on top.
struct Command {
    Arguments name, rest;

    Arguments with(const Flag& flag, const std::string& value) const {
        Arguments arguments = name;
        // What is given already is given once.
        for (std::size_t i = 0; i < rest.size(); ++i) {
            if (rest[i] == flag.name) {
                ++i;
            } else {
                arguments.push_back(rest[i]);
            }
        }
        arguments.push_back(flag.name);
        arguments.push_back(value);
        return arguments;
    }
};

std::vector<Command> commands() {
    std::vector<Command> all = {{"train", "--data n --steps 1 --hidden 5"},
                                {"eval", "good --data n"},
                                {"sample", "good -n 1"},
                                {"gradcheck", "--data n --hidden 5"},
                                {"explain", "--data n"},
                                {"diff", "good good"},
                                {"mistakes", ""}};
    if (with_torch()) {
        all.insert(all.end(),
                   {{"compare", "--data n --hidden 5"}, {"lab columns", "--no-plot"}, {"lab padding", "--no-plot"}});
    }
    return all;
}

struct Place : NamesFolder {
    Place() { succeeds(*this, "train --data n --steps 2 --hidden 5 --save good"); }
};

// Runs it, and looks at how it ended.
void check_harmless(const Folder& folder, const Arguments& arguments) {
    CAPTURE(arguments);
    const Outcome outcome = Process(folder, byhand_program(), arguments, {}).wait(std::chrono::seconds(60));
    if (outcome.code == 2) {
        check_refused(outcome, "");
        return;
    }
    CAPTURE(outcome.err);
    CHECK((outcome.code == 0 || outcome.code == 1));
    CHECK((outcome.out + outcome.err).find_first_of("\x1b\x07") == std::string::npos);
    CHECK_FALSE(contains(outcome.err, "internal error"));
}

// Every flag whose values are words, or numbers, with each of these values.
void check_values(bool words, const std::vector<std::string>& values) {
    const Place place;
    const std::vector<std::string> lasting = {"--steps", "-n"};  // large values run for long
    for (const Command& command : commands()) {
        for (const Flag& flag : flags_in(byhand(place, command.name + "--help").out)) {
            if ((flag.type == "TEXT") == words && std::ranges::find(lasting, flag.name) == lasting.end()) {
                for (const std::string& value : values) {
                    check_harmless(place, command.with(flag, value));
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("flags: every flag that takes a number refuses other text") {
    const Place place;
    std::size_t flags = 0;
    for (const Command& command : commands()) {
        for (const Flag& flag : flags_in(byhand(place, command.name + "--help").out)) {
            ++flags;
            if (flag.type == "TEXT") {
                continue;
            }
            for (const std::string value : {"", "x", "nan", "inf", "1e999", "-1e999", "-1", "\x1b[2J", "0x1p3"}) {
                CAPTURE(command.name, flag.name, value);
                check_refused(byhand(place, command.with(flag, value)), flag.name);
            }
        }
    }
    CHECK(flags >= (with_torch() ? 75 : 55));  // or this reads nothing of the help
    CHECK(place.files() == std::vector<std::string>{"good", "n"});
}

TEST_CASE("flags: numbers beyond all measure are refused, or do no harm") {
    check_values(false, {"18446744073709551616", "0"});
}
TEST_CASE("flags: more such numbers", "[long]") {
    check_values(false, {"4294967295", "18446744073709551615", "1e300"});
}

TEST_CASE("flags: words that nobody means are refused, or do no harm") {
    check_values(true, {"no/such/\x1b[2J", std::string(100'000, 'a')});
}
TEST_CASE("flags: more such words", "[long]") {
    check_values(true, {"", "\x1b[2J\x07", "/", "\xff", "9999999999,9999999999", "[*?{}]", "--help", "%s%n{}"});
}

}  // namespace cli_test
