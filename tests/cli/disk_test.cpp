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

struct Place : NamesFolder {
    std::string before;

    Place() {
        succeeds(*this, training("2", "--save m"));
        before = read("m");
    }

    static Arguments training(const std::string& steps, const Arguments& more) {
        return "train --data n --hidden 5 --steps " + steps + more;
    }

    // Commands that write a new file of this name, the last argument; training takes so many steps.
    std::vector<Arguments> writers(const std::string& name, const std::string& steps) const {
        const std::string data = " --data " + file("n"), model = file("m");
        std::vector<Arguments> all = {
            "train --hidden 5 --steps " + steps + data + " --save " + name,
            "train --hidden 5 --steps " + steps + data + " --no-save --log-every 1 --metrics " + name,
            "eval " + model + data + " --logits " + name,
            "diff " + model + " " + model + " --output " + name,
            "lab columns --no-plot --html " + name,
            "exercise --output " + name};
        if (with_torch()) {
            all.push_back("compare" + data + " --output " + name);
            all.push_back("compare" + data + " --dump " + name + ".npz");
        }
        return all;
    }

    // The command in a shell of its own that has, as "disk", a file system of 32 KiB with "m" in it, after `prepare`.
    // "left" has what stands on it afterwards.
    Outcome on_small_disk(const std::string& prepare, const Arguments& arguments) const {
        std::filesystem::create_directory(path() / "disk");
        const std::string script = "mount -t tmpfs -o size=32k byhand disk && cp m disk/m && " + prepare +
                                   " || exit 77; \"$0\" \"$@\"; code=$?; ls -A disk >left; cmp m disk/m || exit 78; "
                                   "exit $code";
        // Whoever is root needs no namespace of users, which is not to be had everywhere.
        const Arguments own = ::geteuid() == 0 ? Arguments("--mount") : Arguments("--map-root-user --mount");
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
    for (const Arguments flags :
         {"--save disk/m", "--save disk/m --save-every 1", "--save disk/new", "--resume m --save disk/m"}) {
        const Outcome outcome = place.on_small_disk("head -c 12000 /dev/zero >disk/filler", place.training("3", flags));
        need_disk(outcome);
        CAPTURE(flags, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, "can't be written: No space left on device"));
        CHECK(place.read("left") == "filler\nm\n");
    }
}

TEST_CASE("a full disk: reports, dumps, pages and metrics") {
    const Place place;
    const std::string full = "head -c 100000 /dev/zero >disk/filler 2>/dev/null; true";
    std::vector<Arguments> commands = place.writers("disk/new", "3");
    commands.erase(commands.begin());  // a save, as above
    if (!with_torch()) {
        std::erase_if(commands, [](const Arguments& command) { return command.front() == "exercise"; });
    }
    for (const Arguments& arguments : commands) {
        const Outcome outcome = place.on_small_disk(full, arguments);
        need_disk(outcome);
        CAPTURE(arguments, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, "No space left on device"));
        // Lines of metrics are written as they come.
        CHECK(place.read("left") == (arguments.front() == "train" ? "filler\nm\nnew\n" : "filler\nm\n"));
    }
}

TEST_CASE("a read-only disk, a pipe without a reader and a deleted working folder are refused before the work") {
    const Place place;
    for (const Arguments& arguments : place.writers("disk/new", "100000000")) {
        const Outcome outcome = place.on_small_disk("mount -o remount,ro disk", arguments);
        need_disk(outcome);
        CAPTURE(arguments);
        check_refused(outcome, "Read-only file system");
    }
    for (const char* const pipe : {"pipe", "pipe.npz"}) {
        REQUIRE(::mkfifo(place.file(pipe).c_str(), 0600) == 0);
    }
    for (const Arguments& arguments : place.writers("pipe", "100000000")) {
        const Outcome outcome = byhand(place, arguments);
        CAPTURE(arguments, outcome.err);
        check_refused(outcome, arguments.back() + ": ");
        const bool said =
            contains(outcome.err, "nobody is at the other end") || contains(outcome.err, "is not a regular file");
        CHECK(said);
    }
    const std::string shell = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" \"$@\"";
    for (const Arguments& arguments : place.writers("new", "100000000")) {
        const Outcome outcome =
            Process(place, "/bin/sh", Arguments{"-c", shell, byhand_program()} + arguments, {}).wait();
        CAPTURE(arguments);
        const bool metrics = arguments.front() == "train" && arguments[arguments.size() - 2] == "--metrics";
        check_refused(outcome, metrics ? "No such file" : "can't be written: the working folder is gone");
    }
}

TEST_CASE("a file beyond its limit is an error, and nothing is left behind") {
    const Place place;
    std::vector<Arguments> commands = {place.training("3", "--save m"), place.training("3", "--save new"),
                                       place.training("90", "--no-save --json --log-every 1 --metrics l")};
    if (with_torch()) {
        commands.push_back("compare --data n --output r");
    }
    for (const Arguments& arguments : commands) {
        // A block of 512 bytes; what it says on standard error may be cut off there too.
        const Outcome outcome = byhand_under(place, "ulimit -f 1", arguments);
        CAPTURE(arguments, outcome.err, outcome.out);
        CHECK(outcome.code == 2);
        CHECK(place.read("m") == place.before);
        for (const std::string& file : place.files()) {
            CHECK((file == "m" || file == "n" || file == "l"));
        }
    }
}

TEST_CASE("standard output that is closed is an error, and no file takes its place") {
    const Place place;
    succeeds(place, place.training("9", "--no-save --log-every 1 --metrics expected"));
    for (const std::string closed : {"exec >&-", "exec <&- >&-", "exec <&- >&- 2>&-", "exec >&- 2>&-"}) {
        CAPTURE(closed);
        const Outcome outcome =
            byhand_under(place, closed, place.training("9", "--save m --log-every 1 --metrics metrics"));
        CHECK(outcome.code == 2);
        CHECK(place.read("metrics") == place.read("expected"));
        CHECK(read_stored(place.file("m")).metadata.at("steps") == "9");
        if (!contains(closed, "2>")) {
            CHECK(contains(outcome.err, "standard output could not be written"));
        }
    }
    const Outcome quiet = byhand_under(place, "exec 2>&-", "sample m -n 3");
    CHECK(quiet.code == 0);
    CHECK(lines_of(quiet.out).size() == 3);
}

TEST_CASE("a reader who has seen enough ends the program quietly") {
    const Place place;
    for (const Arguments arguments : {"sample m -n 100000", "recipes", "explain --data n"}) {
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
