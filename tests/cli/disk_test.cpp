// Disks that are full or read-only, limits on files, streams that are closed: what is there stays, and what went wrong
// is said.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

struct Place : Folder {
    std::string before;

    Place() {
        write("n", file_of(plain_names()));
        REQUIRE(train("2", {"--save", "m"}).code == 0);
        before = read("m");
    }

    Outcome train(const std::string& steps, const Arguments& more) const {
        return byhand(*this, training(steps, more));
    }
    static Arguments training(const std::string& steps, const Arguments& more) {
        return Arguments{"train", "--data", "n", "--hidden", "5", "--steps", steps} + more;
    }

    // The command in a shell of its own that has, as "disk", a file system of 32 KiB with "m" in it, after `prepare`.
    // "left" has what stands on it afterwards.
    Outcome on_small_disk(const std::string& prepare, const Arguments& arguments) const {
        std::filesystem::create_directory(path() / "disk");
        const std::string script = "mount -t tmpfs -o size=32k byhand disk && cp m disk/m && " + prepare +
                                   " || exit 77; \"$0\" \"$@\"; code=$?; ls -A disk >left; cmp m disk/m || exit 78; "
                                   "exit $code";
        // Whoever is root needs no namespace of users, which is not to be had everywhere.
        const Arguments own = ::geteuid() == 0 ? Arguments{"--mount"} : Arguments{"--map-root-user", "--mount"};
        return Process(*this, "/usr/bin/unshare",
                       own + Arguments{"/bin/sh", "-c", script, byhand_program()} + arguments, {})
            .wait();
    }
};

// Where no file system may be mounted, this can't be tried.
void need_disk(const Outcome& outcome) {
    if (outcome.code == 77 || outcome.err.starts_with("unshare:")) {
        SKIP("no file system can be mounted here: " + outcome.err);
    }
}

}  // namespace

TEST_CASE("a full disk: a save is refused, the old file stays, nothing is left behind") {
    const Place place;
    for (const Arguments& flags : {Arguments{"--save", "disk/m"},
                                   {"--save", "disk/m", "--save-every", "1"},
                                   {"--save", "disk/new"},
                                   {"--resume", "m", "--save", "disk/m"}}) {
        const Outcome outcome = place.on_small_disk("head -c 12000 /dev/zero >disk/filler", place.training("3", flags));
        need_disk(outcome);
        CAPTURE(flags, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(outcome.err.find("can't be written: No space left on device") != std::string::npos);
        CHECK(place.read("left") == "filler\nm\n");
    }
}

TEST_CASE("a full disk: reports, dumps, pages and metrics") {
    need_torch();
    const Place place;
    const std::string full = "head -c 100000 /dev/zero >disk/filler 2>/dev/null; true";
    for (const Arguments& arguments : {Arguments{"compare", "--data", "n", "--output", "disk/r"},
                                       {"compare", "--data", "n", "--dump", "disk/d.npz"},
                                       {"diff", "m", "m", "--output", "disk/r"},
                                       {"lab", "columns", "--no-plot", "--html", "disk/r"},
                                       {"eval", "m", "--data", "n", "--logits", "disk/l"},
                                       {"eval", "m", "--data", "n", "--output", "disk/r"},
                                       place.training("3", {"--no-save", "--log-every", "1", "--metrics", "disk/l"})}) {
        const Outcome outcome = place.on_small_disk(full, arguments);
        need_disk(outcome);
        CAPTURE(arguments, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(outcome.err.find("No space left on device") != std::string::npos);
        const bool is_metrics =
            arguments.back() == "disk/l" && arguments.front() == "train";  // lines come when they come
        CHECK(place.read("left") == (is_metrics ? "filler\nl\nm\n" : "filler\nm\n"));
    }
}

TEST_CASE("a read-only disk is refused before the work") {
    const Place place;
    const std::string read_only = "mount -o remount,ro disk";
    std::vector<Arguments> commands = {place.training("100000000", {"--save", "disk/m"}),
                                       place.training("100000000", {"--save", "disk/new"}),
                                       place.training("100000000", {"--no-save", "--metrics", "disk/l"}),
                                       {"diff", "m", "m", "--output", "disk/r"}};
    if (with_torch()) {
        commands.push_back({"compare", "--data", "n", "--steps", "1000000", "--output", "disk/r"});
        commands.push_back({"compare", "--data", "n", "--steps", "1000000", "--dump", "disk/r.npz"});
    }
    for (const Arguments& arguments : commands) {
        const Outcome outcome = place.on_small_disk(read_only, arguments);
        need_disk(outcome);
        CAPTURE(arguments);
        check_refused(outcome, "Read-only file system");
    }
}

TEST_CASE("a pipe that nobody reads is refused before the work") {
    const Place place;
    for (const char* const pipe : {"pipe", "pipe.npz"}) {
        REQUIRE(::mkfifo(place.file(pipe).c_str(), 0600) == 0);
    }
    std::vector<Arguments> commands = {place.training("100000000", {"--save", "pipe"}),
                                       place.training("100000000", {"--no-save", "--metrics", "pipe"}),
                                       {"eval", "m", "--data", "n", "--logits", "pipe"},
                                       {"diff", "m", "m", "--output", "pipe"},
                                       {"lab", "columns", "--no-plot", "--html", "pipe"},
                                       {"lab", "columns", "--no-plot", "--svg", "pipe"},
                                       {"exercise", "--output", "pipe"}};
    if (with_torch()) {
        commands.push_back({"compare", "--data", "n", "--steps", "1000000", "--output", "pipe"});
        commands.push_back({"compare", "--data", "n", "--steps", "1000000", "--dump", "pipe.npz"});
        commands.push_back({"bench", "--sweep", "hidden=9..9", "--svg", "pipe"});
    }
    for (const Arguments& arguments : commands) {
        const Outcome outcome = byhand(place, arguments);
        CAPTURE(arguments, outcome.err);
        check_refused(outcome, arguments.back() + ": ");
        const bool said = outcome.err.find("nobody is at the other end") != std::string::npos ||
                          outcome.err.find("is not a regular file") != std::string::npos;
        CHECK(said);
    }
}

TEST_CASE("a working folder that is gone is refused before the work") {
    const Place place;
    const std::string names = place.file("n"), model = place.file("m");
    std::vector<Arguments> commands = {
        {"train", "--data", names, "--hidden", "5", "--steps", "100000000"},
        {"train", "--data", names, "--hidden", "5", "--steps", "100000000", "--no-save", "--metrics", "l"},
        {"eval", model, "--data", names, "--logits", "l"},
        {"diff", model, model, "--output", "r"},
        {"lab", "columns", "--no-plot", "--html", "r"},
        {"exercise", "--output", "r"}};
    if (with_torch()) {
        commands.push_back({"compare", "--data", names, "--steps", "1000000", "--output", "r"});
        commands.push_back({"compare", "--data", names, "--steps", "1000000", "--dump", "r.safetensors"});
    }
    const std::string shell = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$@\"";
    for (const Arguments& arguments : commands) {
        const Outcome outcome =
            Process(place, "/bin/sh", Arguments{"-c", shell, byhand_program()} + arguments, {}).wait();
        CAPTURE(arguments);
        const bool metrics = arguments.back() == "l" && arguments.front() == "train";  // opened before the work
        check_refused(outcome, metrics ? "No such file" : "can't be written: the working folder is gone");
    }
}

TEST_CASE("a file beyond its limit is an error, and nothing is left behind") {
    const Place place;
    std::vector<Arguments> commands = {
        place.training("3", {"--save", "m"}), place.training("3", {"--save", "new"}),
        place.training("90", {"--no-save", "--json", "--log-every", "1", "--metrics", "l"})};
    if (with_torch()) {
        commands.push_back({"compare", "--data", "n", "--output", "r"});
    }
    for (const Arguments& arguments : commands) {
        // A block of 512 bytes; what it says on standard error may be cut off there too.
        const Outcome outcome = byhand_under(place, "ulimit -f 1", arguments);
        CAPTURE(arguments, outcome.err, outcome.out);
        CHECK(outcome.code == 2);
        CHECK(place.read("m") == place.before);
        const std::vector<std::string> files = place.files();
        for (const std::string& file : files) {
            CHECK((file == "m" || file == "n" || file == "l"));
        }
    }
}

TEST_CASE("standard output that is closed is an error, and no file takes its place") {
    const Place place;
    const Outcome expected = place.train("9", {"--no-save", "--log-every", "1", "--metrics", "expected"});
    REQUIRE(expected.code == 0);
    for (const std::string closed : {"exec >&-", "exec <&- >&-", "exec <&- >&- 2>&-", "exec >&- 2>&-"}) {
        CAPTURE(closed);
        const Outcome outcome = byhand_under(
            place, closed, place.training("9", {"--save", "m", "--log-every", "1", "--metrics", "metrics"}));
        CHECK(outcome.code == 2);
        CHECK(place.read("metrics") == place.read("expected"));
        CHECK(read_stored(place.file("m")).metadata.at("steps") == "9");
        if (closed.find("2>") == std::string::npos) {
            CHECK(outcome.err.find("standard output could not be written") != std::string::npos);
        }
    }
    const Outcome quiet = byhand_under(place, "exec 2>&-", {"sample", "m", "-n", "3"});
    CHECK(quiet.code == 0);
    CHECK(lines_of(quiet.out).size() == 3);
}

TEST_CASE("a reader who has seen enough ends the program quietly") {
    const Place place;
    for (const Arguments& arguments :
         {Arguments{"sample", "m", "-n", "100000"}, {"recipes"}, {"explain", "--data", "n"}}) {
        CAPTURE(arguments);
        const Outcome outcome =
            Process(place, "/bin/sh", Arguments{"-c", "\"$0\" \"$@\" | head -n 1", byhand_program()} + arguments, {})
                .wait();
        CHECK(outcome.code == 0);
        CHECK(lines_of(outcome.out).size() == 1);
        CHECK(outcome.err.empty());
    }
}

}  // namespace cli_test
