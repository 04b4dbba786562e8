#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// byhand diff: of files that other code wrote, of models, of dumps.

namespace cli_test {
namespace {

using Tensors = std::map<std::string, StoredTensor>;

StoredTensor floats(const std::vector<std::size_t>& shape, const std::vector<float>& numbers) {
    return stored("F32", shape, numbers);
}

// The file "a" and one more, side by side.
struct Place : Folder {
    explicit Place(const Tensors& a = {{"x", floats({3}, {1, 2, 3})}}) { write_stored(file("a"), a); }

    Outcome with(const Tensors& b, const Arguments& flags = {}) const {
        write_stored(file("b"), b);
        return byhand(*this, "diff a b" + flags);
    }
};

}  // namespace

TEST_CASE("diff: exit code 1 where one tensor differs by more than the limit, in shape, type or presence") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({}, {1})}});
    const StoredTensor same = floats({}, {1});
    const auto code = [&](const StoredTensor& x, const Arguments& flags = {}) {
        return place.with({{"x", x}, {"y", same}}, flags).code;
    };
    CHECK(code(floats({3}, {1, 2, 3})) == 0);
    CHECK(code(floats({3}, {1, 2, 3.0000002F})) == 1);
    CHECK(code(floats({3}, {1, 2, 3.25F}), "--limit 0.25") == 0);
    CHECK(code(floats({3}, {1, 2, 3.25F}), "--limit 0.2499") == 1);
    CHECK(code(floats({3}, {1, 2, std::numeric_limits<float>::quiet_NaN()}), "--limit 1e300") == 1);
    CHECK(code(floats({3, 1}, {1, 2, 3}), "--limit 1e300") == 1);
    CHECK(code(stored<std::int64_t>("I64", {3}, {1, 2, 3})) == 1);
    CHECK(place.with({{"y", same}}).code == 1);
    CHECK(place.with({}).code == 1);
    // Tensors that are not shown are judged too.
    const Outcome hidden = place.with({{"x", floats({3}, {1, 2, 4})}, {"y", same}}, "--tensor y*");
    CHECK(hidden.code == 1);
    CHECK_FALSE(contains(hidden.out, "\n  x "));
    CHECK(contains(hidden.out, "\n  y "));
}

TEST_CASE("diff: every format, on standard output, or in a file with the conclusion on standard error") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.5F, 7})}});
    const Tensors other = {{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.75F, 7})}};
    const std::string conclusion = "they disagree: 1 of 2 tensors; furthest apart: y, by 2.5e-01\n";
    for (const std::string format : {"table", "json", "csv", "html", "junit"}) {
        CAPTURE(format);
        const Outcome printed = place.with(other, {"--format", format});
        CHECK(printed.code == 1);
        CHECK(printed.err.empty());
        const Outcome written = place.with(other, {"--format", format, "--output", "report"});
        CHECK(written.code == 1);
        CHECK(written.out.empty());
        CHECK(written.err == conclusion);
        CHECK(place.read("report") == printed.out);
    }
    CHECK(contains(place.with(other).out, "\n" + conclusion));
    CHECK(place.files() == std::vector<std::string>{"a", "b", "report"});
}

TEST_CASE("diff: of models and dumps, the worst elements are named by A's network, or else by B's") {
    const Place place;
    place.write("n", file_of(plain_names()));
    const auto train = [&](const std::string& path, const std::string& steps) {
        succeeds(place, "train --data n --hidden 7 --save " + path + " --steps " + steps);
        write_stored(place.file(path + "-bare"), read_stored(place.file(path)).tensors);
    };
    train("m", "30");
    train("longer", "31");
    CHECK(byhand(place, "diff m m-bare").code == 0);  // whose tensors are in another order
    const std::string table = byhand(place, "diff m longer").out;
    CHECK(contains(table, "\n      C row '"));
    CHECK(contains(table, "\n      W1 from position "));
    CHECK(contains(byhand(place, "diff longer-bare m").out, "\n      C row '"));
    const Outcome bare = byhand(place, "diff longer-bare m-bare --format json");
    CHECK(bare.code == 1);
    CHECK(contains(bare.out, "\"W1 ["));
    if (with_torch()) {
        for (const std::string steps : {"1", "2"}) {
            succeeds(place, "compare --hidden 11 --batch 7 --steps " + steps + " --dump " + steps + ".safetensors");
        }
        const Outcome dumps = byhand(place, "diff 1.safetensors 2.safetensors --tensor manual/*");
        CHECK(dumps.code == 1);
        CHECK(contains(dumps.out, "\n      manual/dW1 from position "));
        CHECK_FALSE(contains(dumps.out, "torch/dW1"));
    }
}

TEST_CASE("diff: a recipe that another program wrote is ignored") {
    const Place place;
    const std::string numbers(8, '\x01');
    for (const std::string recipe : {"sourdough", "{}", R"({\"network\": 3})"}) {
        const std::string header = R"({"__metadata__":{"recipe":")" + recipe +
                                   R"(","vocabulary":"abc"},"W1":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
        std::string length(8, '\0');
        length[0] = static_cast<char>(header.size());
        length += header;
        place.write("a", length + numbers);
        const Outcome outcome = place.with({{"W1", floats({1, 2}, {1, 2})}}, "--format csv");
        CAPTURE(outcome.err);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.out, ",\"W1 [0, 1]\","));
    }
}

TEST_CASE("diff: names from a file steer no terminal") {
    const Place place({{"x\x1b[2J\n", floats({1}, {1})}});
    const Outcome table = place.with({{"x\x1b[2J\n", floats({1}, {2})}});
    CHECK(table.code == 1);
    CHECK_FALSE(contains(table.out, "\x1b"));
    CHECK(contains(table.out, "\n  x\\x1b[2J\\x0a  (1) "));
    const Outcome written = place.with({{"x\x1b[2J\n", floats({1}, {2})}}, "--format json --output r");
    CHECK(lines_of(written.err).size() == 1);
    CHECK_FALSE(contains(written.err, "\x1b"));
    CHECK(parsed_json(place.read("r"))["tensors"][0]["name"].get<std::string>() == "x\x1b[2J\n");
}

TEST_CASE("diff refuses what it can't set side by side, in one line") {
    const Place place;
    place.write("n", "no tensors\n");
    place.write("half", exchanged(place.read("a"), "F32", "F16"));
    write_stored(place.file("empty"), {});
    check_refused(place, {{"diff", "A is required"},
                          {"diff a", "B is required"},
                          {"diff a a a", "a"},
                          {{"diff", "", "a"}, "A: expected a name"},
                          {"diff nowhere a", "nowhere: can't be read"},
                          {"diff a nowhere", "nowhere: can't be read"},
                          {"diff a .", ".: is a folder; name a file"},
                          {"diff a n", "n: not a safetensors file"},
                          {"diff a half", "tensor \"x\" has dtype \"F16\"; F32, F64 and I64 can be read"},
                          {"diff empty empty", "contain no tensors"},
                          {"diff a a --limit 1e301", "--limit"},
                          {"diff a a --format poem", "--format"}});
    CHECK(place.files() == std::vector<std::string>{"a", "empty", "half", "n"});
}

TEST_CASE("diff: a report that can't be written leaves nothing behind, and never replaces what was compared") {
    const Place place;
    const std::string before = place.read("a");
    write_stored(place.file("b"), {{"x", floats({3}, {1, 2, 4})}});
    std::filesystem::create_symlink("a", place.path() / "link");
    for (const std::string format : {"table", "json", "csv", "html", "junit"}) {
        check_refused(byhand(place, "diff a a --output no/such/report --format " + format), "no/such/report");
    }
    check_refused(place, {{{"diff", "a", "a", "--output", ""}, "--output"}, {"diff a a --output .", "."}});
    for (const std::string output : {"a", "./a", "link"}) {
        for (const std::string files : {"a b", "b a"}) {
            check_refused(byhand(place, "diff " + files + " --output " + output),
                          output + ": --output would overwrite the input of");
        }
    }
    CHECK(place.read("a") == before);
    CHECK(place.files() == std::vector<std::string>{"a", "b", "link"});
}

}  // namespace cli_test
