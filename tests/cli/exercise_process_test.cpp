#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/processes.h"
#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise: functions that misbehave as programs, what runs them, and what is left when it ends.

namespace cli_test {
namespace {

bool ends(const std::string& pid) {
    return test::ends(std::stoi(pid));
}

}  // namespace

TEST_CASE("exercise: whatever a function does to its process, it is named, and the others are judged and reported") {
    need_torch();
    const Folder folder;
    Bodies bodies = right_bodies();
    const auto also = [&](const std::string& name, const std::string& statement) {
        bodies.at(name).insert(0, statement + "\n");
    };
    also("db2", "std::exit(0);");
    also("dh", "for (volatile int x = 0; x == 0;) {}");
    also("dbngain", "throw std::runtime_error(\"Gr\\xf6\\xdf\" \"e\\x1b[31m\");");
    also("dlogits", "std::puts(\"a line of output\"); std::fflush(stdout);");
    also("dhprebn_in_one", "*static_cast<volatile T*>(nullptr) = 1;");
    fill_in(folder, bodies);
    folder.write("mine.cpp", "#include <cstdio>\n#include <cstdlib>\n#include <stdexcept>\n" + folder.read("mine.cpp"));
    const Environment ours = {{"CXXFLAGS", "-O0"}, {"ASAN_OPTIONS", "handle_segv=0"}};
    const Outcome outcome = byhand(folder, "exercise mine.cpp --verbose --timeout 1", ours);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "a line of output\n"));
    CHECK_FALSE(says(outcome, "a line of output"));
    CHECK(those_that_are("wrong", outcome) == Names{"db2", "dh", "dbngain", "dhprebn in one"});
    CHECK(those_that_are("right", outcome).size() == 24);
    CHECK_FALSE(says(outcome, "inherited"));  // byhand's own value stands for that of a step that could not be run
    CHECK(says(outcome, "crashes (Segmentation fault); byhand exercise --sanitize address shows the line\n"));
    for (const std::string what : {"exits the process (exit code 0)",
                                   "does not return within 1 s; --timeout allows more", "Gr\\xf6\\xdfe\\x1b[31m"}) {
        CHECK(says(outcome, "  " + what + "\n"));
    }
}

TEST_CASE("exercise: a library that ends or stops its process outside of every function is refused, or has a verdict") {
    need_torch();
    const Folder folder;
    const std::string text =
        "#include <signal.h>\n#include <unistd.h>\n#include <chrono>\n#include <cstdio>\n#include <cstdlib>\n"
        "#include <fstream>\n#include <string>\n#include <thread>\n" +
        source_file("exercise/kernel.cpp");
    const auto with_constructor = [&](const std::string& body) {
        folder.write("kernel.cpp", text + "\n__attribute__((constructor)) void begin() {" + body + "}\n");
        folder.write("report.json", "an old report");
        return byhand(folder, "exercise kernel.cpp --format json --output report.json", fast_build_wide_report());
    };
    check_refused(with_constructor("_exit(0);"), "kernel.cpp exits the process (exit code 0) while it is loaded");
    CHECK(folder.read("report.json") == "an old report");
    check_refused(with_constructor("std::thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(100)); "
                                   "_exit(0); }).detach();"),
                  "kernel.cpp exits the process (exit code 0) outside of every function");
    CHECK(folder.read("report.json") == "an old report");
    const Outcome twice = with_constructor("if (std::ifstream(\"opened\")) { _exit(0); } std::ofstream(\"opened\");");
    INFO(twice.err);
    CHECK(twice.code == 0);
    CHECK(contains(folder.read("report.json"), "\"verdict\""));
    const Outcome at_exit = with_constructor("std::atexit([] { std::puts(\"ended\"); std::_Exit(77); });");
    CHECK(at_exit.code == 0);
    CHECK(at_exit.out.empty());
    // Stops the process that judges it; writes a verdict of its own.
    check_refused(with_constructor("std::thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(100)); "
                                   "raise(SIGSTOP); }).detach();"),
                  "kernel.cpp stops its process outside of every function");
    folder.write("report.json", "an old report");
    check_refused(
        with_constructor("for (int i = 3; i < 64; ++i) { char at[64], to[64] = {}; "
                         "std::snprintf(at, 64, \"/proc/self/fd/%d\", i); readlink(at, to, 63); "
                         "if (std::string(to).find(\"memfd\") != std::string::npos) { write(i, \"r\", 1); } }"),
        "wrote into its own report; there is no verdict");
    CHECK(folder.read("report.json") == "an old report");
}

TEST_CASE("exercise --sanitize address: the line of a fault that no check sees") {
    need_torch();
    const Folder folder;
    const std::string line = "std::vector<T> part(3); out(i, j) = dcounts(i, j) * counts(i, j) + 0 * part[i + 3];";
    fill_in(folder, with(right_bodies(), "dnorm_logits", "out(i, j) = dcounts(i, j) * counts(i, j);", line));
    folder.write("mine.cpp", "#include <vector>\n" + folder.read("mine.cpp"));
    // Whatever its user has set for other programs.
    const Outcome outcome = byhand(folder, "exercise mine.cpp --verbose --sanitize address",
                                   {{"ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0"}});
    if (contains(outcome.err, "has no AddressSanitizer")) {
        SKIP("the compiler has no AddressSanitizer");
    }
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "heap-buffer-overflow"));
    CHECK(contains(outcome.err, "mine.cpp:"));
    CHECK(those_that_are("wrong", outcome) == Names{"dnorm_logits"});
    const std::string text = folder.read("mine.cpp");
    const std::string place = "mine.cpp:" + std::to_string(1 + times(text.substr(0, text.find(line)), "\n"));
    CHECK(says(outcome, "crashes (Aborted): heap-buffer-overflow at " + place + "\n"));
    CHECK(contains(outcome.err, place));
    CHECK(those_that_are("right", outcome).size() == 27);
}

TEST_CASE("exercise --threads, --sanitize thread: a data race") {
    need_torch();
    const Folder folder;
    fill_in(folder, with(right_bodies(), "db2", "T sum = 0;", "static T sums[64]; T& sum = sums[j % 64]; sum = 0;"));
    const Outcome threads = exercise(folder, "--threads");
    INFO(threads.out << threads.err);
    CHECK(threads.code == 1);
    CHECK(says(threads, "  gives different results when two threads call it at once\n"));

    const Outcome sanitized = exercise(folder, "--sanitize thread");
    INFO(sanitized.out << sanitized.err);
    if (contains(sanitized.err, "has no ThreadSanitizer")) {
        SKIP("the compiler has no ThreadSanitizer");
    }
    CHECK(sanitized.code == 1);
    CHECK(those_that_are("wrong", sanitized) == Names{"db2"});
    CHECK(contains(sanitized.err, "SUMMARY: ThreadSanitizer: data race"));
    CHECK(contains(sanitized.err, "mine.cpp:"));
}

TEST_CASE("exercise: a library that is already built is judged; files and settings that can't be used are refused") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const std::string own =
        std::string(BYHAND_CXX) + " -std=c++20 -O1 -fPIC -shared -I" + source_path("include") + " mine.cpp -o mine.so";
    const Outcome built = byhand_under(folder, own, "exercise mine.so --verbose --batch 7");
    INFO(built.out << built.err);
    CHECK(built.code == 0);
    CHECK(says(built, "26 of 26 right"));

    folder.write("broken.cpp", "#include \"exercise/steps.h\"\nint x = \"no number\";\n");
    folder.write("empty.cpp", "#include \"exercise/steps.h\"\nvoid byhand_steps(byhand::exercise::Steps&) {}\n");
    check_refused(folder, {{"exercise absent.cpp", "absent.cpp: can't be read: No such file"},
                           {"exercise absent.so", "absent.so can't be opened"},
                           {"exercise mine.so --sanitize address", "mine.so is already built; --sanitize"},
                           {"exercise mine.so --flags=-O3", "mine.so is already built; --flags"},
                           {"exercise empty.cpp", "empty.cpp: byhand_steps adds no function of float"},
                           {"exercise --batch 2000000", "2000000 rows of this network need about "},
                           {"compare --batch 4000000", " GB; give a smaller --batch\n"}});
    check_refused(byhand(folder, "exercise mine.cpp", {{"TMPDIR", "/nowhere"}}), "TMPDIR");
    check_refused(byhand(folder, "exercise mine.cpp", {{"CXX", "no-such-compiler"}}),
                  "there is no no-such-compiler; name yours by CXX");
    folder.write("text.so", "no library");
    const Outcome no_children =
        Process(folder, "/usr/bin/env", {"--ignore-signal=CHLD", byhand_program(), "exercise", "text.so"}, {}).wait();
    CHECK(no_children.code == 2);
    const Outcome broken = byhand(folder, "exercise broken.cpp");
    CHECK(broken.code == 2);
    CHECK(contains(broken.err, "broken.cpp:2:"));
    CHECK(contains(broken.err, "broken.cpp does not compile"));
    CHECK(folder.files() == std::vector<std::string>{"broken.cpp", "empty.cpp", "mine.cpp", "mine.so", "text.so"});
}

TEST_CASE("exercise: a long run shows how far it is on a terminal, and nowhere else") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const Arguments arguments = "exercise mine.cpp --batch 200";
    const Outcome quiet = byhand(folder, arguments, fast_build_wide_report());
    CHECK(quiet.err.empty());
    const Outcome shown = byhand_on_terminal(folder, arguments, fast_build_wide_report(), true);
    CHECK(shown.code == 0);
    CHECK(shown.out.starts_with("compiling mine.cpp ...\r\n"));
    CHECK(contains(shown.out, "judging "));
    CHECK(contains(shown.out, " function "));
    CHECK(contains(shown.out, "comparing end to end ..."));
    const Outcome report = byhand_on_terminal(folder, arguments, {{"NO_COLOR", "1"}, {"CXXFLAGS", "-O0"}});
    CHECK(report.err.empty());
    CHECK_FALSE(contains(report.out, "judging"));
}

TEST_CASE("exercise: a signal leaves no folder and no process, whatever it interrupts") {
    const Folder folder;
    fill_in(folder,
            {{"dlogprobs",
              "std::ofstream(\"pid\") << getpid() << std::endl;"
              "if (fork() == 0) { setsid(); if (fork() == 0) { std::ofstream(\"orphan\") << getpid() << std::endl; "
              "std::fputs(\"runs\", stderr); for (;;) pause(); } _exit(0); }"
              "for (;;) pause();"}});
    folder.write("mine.cpp", "#include <unistd.h>\n#include <cstdio>\n#include <fstream>\n" + folder.read("mine.cpp"));
    folder.write("slow", "#!/bin/sh\nsleep 600 &\necho $! > pass\necho compiles >&2\nwait\n");
    std::filesystem::permissions(folder.file("slow"), std::filesystem::perms::owner_all);
    std::filesystem::create_directory(folder.path() / "tmp");
    struct Case {
        std::string says;
        Arguments arguments;
        Environment environment;
    };
    std::vector<Case> cases = {
        {"compiles", "exercise mine.cpp", {{"CXX", "./slow"}}},
        {"compiles", "train --model exercise --functions mine.cpp --save m", {{"CXX", "./slow"}}}};
    if (with_torch()) {
        cases.push_back({"runs", "exercise mine.cpp", fast_build_wide_report()});
        cases.push_back({"runs", "exercise mine.cpp --sanitize address", fast_build_wide_report()});
    }
    for (Case& c : cases) {
        c.environment["TMPDIR"] = folder.file("tmp");
        for (const int signal : {SIGINT, SIGTERM}) {
            CAPTURE(c.arguments, c.says, signal);
            Process process(folder, byhand_program(), c.arguments, c.environment);
            REQUIRE(process.says(c.says));
            process.signal(signal);
            const Outcome outcome = process.wait(std::chrono::seconds(20));
            CHECK(outcome.code == 128 + signal);
            CHECK(outcome.out.empty());
            CHECK_FALSE(contains(outcome.err, "byhand:"));
            CHECK(std::filesystem::is_empty(folder.path() / "tmp"));
            CHECK_FALSE(folder.has("m"));
            if (c.says == "runs") {
                CHECK(ends(folder.read("pid")));
                CHECK(ends(folder.read("orphan")));
            } else {
                CHECK(ends(folder.read("pass")));
            }
        }
    }
}

}  // namespace cli_test
