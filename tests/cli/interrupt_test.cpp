#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <utility>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

const std::string kDay = "1000000000";  // steps that would take far longer than any test

// ThreadSanitizer holds a signal back until the program calls the system; of two alike it hands on one.
void need_signals_at_once() {
#if defined(__SANITIZE_THREAD__)
    SKIP("ThreadSanitizer holds signals back");
#endif
}

// Trains until it is told to stop, which is after its first line of progress.
Outcome interrupted(const Folder& folder, int signal, const Arguments& flags) {
    Process process(folder, byhand_program(), "train --data n --json --steps " + kDay + flags, {});
    REQUIRE(process.says("steps/s"));
    process.signal(signal);
    return process.wait();
}

}  // namespace

TEST_CASE("Ctrl-C ends the training with 130, other signals with 128 and their number, and a model that can be read") {
    for (const std::string& model : models()) {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            CAPTURE(model, signal);
            const NamesFolder folder;
            const Outcome outcome = interrupted(folder, signal, {"--model", model, "--metrics", "m"});
            CAPTURE(outcome.err);
            CHECK(outcome.code == 128 + signal);
            const Json j = parsed_json(outcome.out);
            CHECK(j["steps"].get<int>() >= 1);
            CHECK(j["steps"].get<int>() < 1'000'000'000);
            CHECK(read_stored(folder.file("byhand.safetensors")).metadata.at("steps") ==
                  byhand::printed_json(j["steps"], 0));
            for (const std::string& line : lines_of(folder.read("m"))) {
                CHECK(parsed_json(line).contains("loss"));
            }
            succeeds(folder, "sample");
            CHECK(json_of(byhand(folder, "eval --data n --json"))["steps"] == j["steps"]);
            CHECK(folder.files() == std::vector<std::string>{"byhand.safetensors", "m", "n"});
        }
    }
}

TEST_CASE("the command that goes on has words that a shell reads back, whatever the path, and steers no terminal") {
    for (const std::string path : {"plain", "two words", "it's", "$HOME \\ *", "\x1b[2J it's \\n \xff"}) {
        const NamesFolder folder;
        const Outcome outcome = interrupted(folder, SIGINT, {"--metrics", path});
        CAPTURE(outcome.err);
        REQUIRE(outcome.code == 130);
        CHECK(outcome.err.find('\x1b') == std::string::npos);
        const std::string mark = "to continue: byhand ";
        REQUIRE(contains(outcome.err, mark));
        const std::string command = outcome.err.substr(outcome.err.find(mark) + mark.size());
        // Its words, a NUL behind each.
        const Outcome words = Process(folder, "/bin/bash", {"-c", "printf '%s\\0' " + command}, {}).wait();
        CHECK(contains(words.out,
                       std::string(1, '\0') + "--metrics" + std::string(1, '\0') + path + std::string(1, '\0')));
    }
}

TEST_CASE("Ctrl-C with no-save writes nothing") {
    const NamesFolder folder;
    CHECK(interrupted(folder, SIGINT, "--no-save").code == 130);
    CHECK(folder.files() == std::vector<std::string>{"n"});
}

TEST_CASE("a second signal ends the program at once, and the file stays as it was; not so a terminal that closes") {
    need_signals_at_once();
    for (const auto& [first, second] : {std::pair{SIGINT, SIGINT},
                                        {SIGTERM, SIGTERM},
                                        {SIGTERM, SIGINT},
                                        {SIGINT, SIGTERM},
                                        {SIGHUP, SIGTERM},
                                        {SIGHUP, SIGHUP}}) {
        CAPTURE(first, second);
        const NamesFolder folder;
        REQUIRE(folder.train("--steps 2 --save m").code == 0);
        const std::string before = folder.read("m");
        // A step of this takes far longer than the time between the two.
        Process process(
            folder, byhand_program(),
            "train --data n --model stepwise --hidden 2000,2000 --batch 700 --steps 100 --log-every 1 --save m", {});
        REQUIRE(process.says("steps/s"));
        process.signal(first);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        process.signal(second);
        const Outcome outcome = process.wait();
        const bool saves = second == SIGHUP;
        CHECK(outcome.code == 128 + second);
        CHECK(outcome.out.empty() == !saves);
        CHECK((contains(outcome.err, "to continue")) == saves);
        CHECK((folder.read("m") != before) == saves);
        CHECK(folder.files() == std::vector<std::string>{"m", "n"});
    }
}

TEST_CASE("a signal that is ignored stays ignored") {
    const NamesFolder folder;
    const Arguments train = "train --data n --steps 3000 --log-every 1 --save m";
    Process process(folder, "/usr/bin/env", Arguments{"--ignore-signal=INT", byhand_program()} + train, {});
    REQUIRE(process.says("steps/s"));
    process.signal(SIGINT);
    CHECK(process.wait().code == 0);
    CHECK(read_stored(folder.file("m")).metadata.at("steps") == "3000");
}

TEST_CASE("once the command that goes on is said, the model is safe, whatever happens to the program") {
    const Folder folder;
    // To measure it takes far longer than the time between the two: a model that is measured first is at its end by
    // then.
    Process process(folder, byhand_program(), "train --hidden 900,300 --threads 1 --log-every 1 --steps " + kDay, {});
    REQUIRE(process.says("steps/s"));
    process.signal(SIGTERM);
    REQUIRE(process.says("to continue: byhand train --resume byhand.safetensors"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    process.signal(SIGKILL);
    const Outcome outcome = process.wait();
    CHECK(outcome.code == 128 + SIGKILL);
    CHECK(std::stoull(read_stored(folder.file("byhand.safetensors")).metadata.at("steps")) > 0);
}

TEST_CASE("a reader of messages or of metrics who goes away does not end a training") {
    const NamesFolder folder;
    // "$0" and "$@" are the training, under a shell that sets up a reader who soon goes away.
    const auto train = [&](const std::string& shell, const Arguments& more) {
        const Arguments words = Arguments{"-c", shell, byhand_program()} + "train --data n --steps 9000 --log-every 1";
        return Process(folder, "/bin/bash", words + more, {}).wait();
    };
    CHECK(train("\"$0\" \"$@\" 2> >(head -c 1 >/dev/null)", "--save a").code == 0);
    CHECK(read_stored(folder.file("a")).metadata.at("steps") == "9000");
    // exec waits until the reader is there.
    const Outcome outcome = train("mkfifo pipe; head -c 1 pipe >/dev/null & exec 3>pipe; \"$0\" \"$@\"; exit $?",
                                  "--save b --metrics pipe");
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "pipe: the metrics file is incomplete: Broken pipe"));
    CHECK(read_stored(folder.file("b")).metadata.at("steps") == "9000");
}

}  // namespace cli_test
