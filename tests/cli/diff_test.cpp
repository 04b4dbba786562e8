#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>
#include <vector>

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

TEST_CASE("diff: exit code 1 where a tensor differs by more than the limit, also where it is not shown") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({}, {1})}});
    const auto diff = [&](float last, const Arguments& flags = {}) {
        return place.with({{"x", floats({3}, {1, 2, last})}, {"y", floats({}, {1})}}, flags);
    };
    CHECK(diff(3).code == 0);
    CHECK(diff(3.0000002F).code == 1);
    CHECK(diff(3.25F, "--limit 0.25").code == 0);
    CHECK(diff(3.25F, "--limit 0.2499").code == 1);
    const Outcome hidden = diff(4, "--tensor y*");
    CHECK(hidden.code == 1);
    CHECK_FALSE(contains(hidden.out, "\n  x "));
    CHECK(contains(hidden.out, "\n  y "));
}

TEST_CASE("diff: every format, on standard output, or in a file with the conclusion on standard error") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.5F, 7})}});
    const Tensors other = {{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.75F, 7})}};
    const std::string conclusion = "they disagree: 1 of 2 tensors; furthest apart: y, by 2.5e-01\n";
    for (const std::string format : {"table", "json", "csv", "html", "junit", "sarif"}) {
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

TEST_CASE("diff: of models, the worst elements are named by A's network, or else by B's") {
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
}

TEST_CASE("diff: a recipe that another program wrote is ignored") {
    const Place place;
    for (const std::string recipe : {"sourdough", "{}", "{\"network\": 3}"}) {
        write_stored(place.file("a"), {{"W1", floats({1, 2}, {1, 3})}}, {{"recipe", recipe}, {"vocabulary", "abc"}});
        const Outcome outcome = place.with({{"W1", floats({1, 2}, {1, 2})}}, "--format csv");
        CAPTURE(outcome.err);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.out, ",\"W1 [0, 1]\","));
    }
}

TEST_CASE("diff refuses what it can't set side by side, in one line") {
    const Place place;
    write_stored(place.file("empty"), {});
    check_refused(place, {{"diff", "A is required"},
                          {"diff a", "B is required"},
                          {"diff a a a", "a"},
                          {{"diff", "", "a"}, "A: expected a name"},
                          {"diff empty empty", "contain no tensors"},
                          {"diff a a --limit 1e301", "--limit"},
                          {"diff a a --format poem", "--format"},
                          {"diff a a --output no/such/report", "no/such/report"},
                          {{"diff", "a", "a", "--output", ""}, "--output"}});
    CHECK(place.files() == std::vector<std::string>{"a", "empty"});
}

}  // namespace cli_test
