// A save whose every system call fails in its turn (faults.cpp): the error is named, the old file is whole, nothing is
// left lying about. And files that can't be read to their end, or shrink meanwhile.
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <string>

#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

// The sanitizers want to be loaded first.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCanPreload = false;
#else
constexpr bool kCanPreload = true;
#endif

struct Place : NamesFolder {
    std::string before;

    Place() {
        if (!kCanPreload) {
            SKIP("a sanitizer stands in the way of a preloaded library");
        }
        REQUIRE(train("--steps 2 --save m").code == 0);
        before = read("m");
    }

    Outcome train(const Arguments& more, const Environment& environment = {}) const {
        return byhand(*this, "train --data n --hidden 5" + more, environment);
    }
    // The command, with the N-th read of that file failing. False where there are not so many.
    bool misreads(const Arguments& arguments, const std::string& read, int number, const std::string& error,
                  Outcome& outcome) const {
        const Folder elsewhere;
        outcome = byhand(*this, arguments,
                         {{"LD_PRELOAD", BYHAND_FAULTS},
                          {"BYHAND_FAULT", "read:" + std::to_string(number) + ":" + error},
                          {"BYHAND_FAULT_FILE", "/" + read},
                          {"BYHAND_FAULT_DONE", elsewhere.file("done")}});
        return elsewhere.has("done");
    }
    // Three steps, saved over the two, with the N-th of such calls failing, on a file system that lacks something.
    // False where there is no such call.
    bool fails(const std::string& lacks, const std::string& call, int number, const std::string& error,
               Outcome& outcome) const {
        const Folder elsewhere;
        write("m", before);
        outcome = train("--steps 3 --save m", {{"LD_PRELOAD", BYHAND_FAULTS},
                                               {"BYHAND_FAULT_LACKS", lacks},
                                               {"BYHAND_FAULT", call + ":" + std::to_string(number) + ":" + error},
                                               {"BYHAND_FAULT_DONE", elsewhere.file("done")}});
        return elsewhere.has("done");
    }
};

}  // namespace

TEST_CASE("a save that fails at any call leaves the old file, and says why") {
    const Place place;
    struct Way {
        std::string lacks, call;
        int calls;
    };
    // Two writes and one for each of nine tensors; and one more where the file is copied.
    const std::vector<Way> ways = {{"", "write", 11},          {"", "fsync", 2},           {"", "rename", 1},
                                   {"O_TMPFILE", "open", 1},   {"O_TMPFILE", "write", 11}, {"O_TMPFILE", "fsync", 2},
                                   {"O_TMPFILE", "rename", 1}, {"linkat", "write", 12},    {"linkat", "fsync", 3},
                                   {"linkat", "rename", 1}};
    for (const auto& [lacks, call, calls] : ways) {
        for (const int error : {ENOSPC, EIO, EACCES, EDQUOT, EROFS}) {
            Outcome outcome;
            int number = 1;
            for (; place.fails(lacks, call, number, std::to_string(error), outcome); ++number) {
                CAPTURE(lacks, call, number, std::strerror(error), outcome.err);
                CHECK(outcome.code == 2);
                // The folder's fsync comes when the new file is in its place.
                const bool in_place = call == "fsync" && number == calls;
                const std::string said = in_place ? "m: is written, but a power failure" : "m: can't be written";
                CHECK(contains(outcome.err, said));
                CHECK(contains(outcome.err, std::strerror(error)));
                CHECK((place.read("m") == place.before) == !in_place);
                CHECK(read_stored(place.file("m")).metadata.at("steps") == (in_place ? "3" : "2"));
                CHECK(place.files() == std::vector<std::string>{"m", "n"});
            }
            CAPTURE(lacks, call);
            CHECK(number == calls + 1);
        }
    }
}

TEST_CASE("a save that is interrupted, or written in pieces, or whose file does not close, is a save") {
    const Place place;
    REQUIRE(place.train("--steps 3 --save expected").code == 0);
    const std::string expected = place.read("expected");
    const std::string interrupted = std::to_string(EINTR);
    struct Way {
        std::string lacks, call, error;
    };
    const std::string exists = std::to_string(EEXIST);              // another process's temporary file
    std::vector<Way> ways = {{"", "open", std::to_string(ENOSPC)},  // the named way may still do
                             {"", "linkat", std::to_string(EIO)},   // or a copy
                             {"", "linkat", exists},
                             {"O_TMPFILE", "open", exists}};
    for (const std::string lacks : {"", "O_TMPFILE", "linkat"}) {
        ways.insert(ways.end(), {{lacks, "write", interrupted},
                                 {lacks, "write", "short"},
                                 {lacks, "fsync", interrupted},
                                 {lacks, "fsync", std::to_string(EINVAL)},  // a file system that has none
                                 {lacks, "close", std::to_string(EIO)}});
    }
    for (const auto& [lacks, call, error] : ways) {
        Outcome outcome;
        int number = 1;
        for (; place.fails(lacks, call, number, error, outcome); ++number) {
            CAPTURE(lacks, call, error, number, outcome.err);
            CHECK(outcome.code == 0);
            CHECK(place.read("m") == expected);
            CHECK(place.files() == std::vector<std::string>{"expected", "m", "n"});
        }
        CAPTURE(lacks, call, error);
        CHECK(number > 1);
    }
}

TEST_CASE("a file that can't be read to its end, or shrinks meanwhile, is refused; one that comes in pieces is not") {
    const Place place;
    place.write("r.json", byhand(place, "recipes notes").out);
    REQUIRE(place.train("--steps 2 --log-every 1 --metrics l --save m").code == 0);
    place.write("s", "1 2\n3 4.5\n\n5 6\n");
    struct Case {
        std::string file;
        Arguments arguments;
    };
    std::vector<Case> cases = {
        {"n", "train --data n --hidden 5 --steps 3 --no-save"},
        {"r.json", "recipes ./r.json"},
        {"m", "sample m"},
        {"m", "diff m m"},
        {"m", "eval m --data n"},
        {"l", "train --data n --hidden 5 --steps 3 --log-every 1 --metrics l --resume m --save other"}};
    if (with_torch()) {
        cases.push_back({"s", "lab padding --no-plot --file s"});
    }
    const std::string metrics = place.read("l");
    for (const Case& c : cases) {
        const auto run = [&](int number, const std::string& error, Outcome& outcome) {
            place.write("l", metrics);
            return place.misreads(c.arguments, c.file, number, error, outcome);
        };
        Outcome right;
        REQUIRE_FALSE(run(1000, "end", right));
        REQUIRE(right.code == 0);
        std::size_t faults = 0;
        for (const std::string& error : {std::to_string(EIO), std::to_string(ESTALE), std::string("end"),
                                         std::to_string(EINTR), std::string("short")}) {
            Outcome outcome;
            for (int number = 1; run(number, error, outcome); ++number, ++faults) {
                CAPTURE(c.arguments, number, error, outcome.err);
                const bool passes = error == std::to_string(EINTR) || error == "short";
                // Where a file has no size that it must have, what is left of it may be right.
                if (passes || (error == "end" && outcome.code == 0)) {
                    CHECK(outcome.code == 0);
                    CHECK((outcome.out == right.out || c.file == "n"));  // which tells how long it took
                } else {
                    check_refused(outcome, c.file + ": ");
                }
            }
        }
        CAPTURE(c.arguments);
        CHECK(faults >= 5);
    }
}

}  // namespace cli_test
