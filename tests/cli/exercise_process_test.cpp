#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/parsed_json.h"
#include "base/processes.h"
#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise: functions that misbehave as programs, what runs them, and what is left when it ends.

namespace cli_test {
namespace {

bool runs(const std::string& pid) {
    return test::runs(std::stoi(pid));
}

// A program that is itself built with AddressSanitizer leaves it the signal by which this is found.
bool says_of_access(const Outcome& outcome, const std::string& what) {
#if defined(__SANITIZE_ADDRESS__)
    return says(outcome, what) || says(outcome, "crashes (Segmentation fault)");
#else
    return says(outcome, "  " + what + "\n");
#endif
}

}  // namespace

TEST_CASE("exercise: a fault in a function is named, and the others are judged") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dW2", "h(i, k)", "h(k, i)");                         // out of bounds
    bodies = with(bodies, "dbnmeani", "out(j) = -sum", "out(j) = std::sqrt(-1 - sum * sum)");  // NaN
    bodies = with(bodies, "db2", "out(j) = sum", "if (j > 0) out(j) = sum");                   // one never written
    bodies = with(bodies, "dC", "out(X(i, t), e)", "out.data()[out.count() + e]");             // past the end
    bodies = with(bodies, "dembcat", "out(i, k) = sum", "*static_cast<volatile T*>(nullptr) = sum");  // a crash
    bodies = with(bodies, "dhprebn_in_one", "const T n = T(out.size(0));", "const T n = T(out.size(0)); std::abort();");
    fill_in(folder, bodies);
    std::string text = folder.read("mine.cpp");
    folder.write("mine.cpp", "#include <cstdlib>\n" + text);
    // A program that is itself built with AddressSanitizer would take the signal, where this one waits for it.
    const Outcome outcome = byhand(folder, {"exercise", "mine.cpp", "--verbose"}, {{"ASAN_OPTIONS", "handle_segv=0"}});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == Names{"dW2", "dbnmeani", "db2", "dC", "dembcat", "dhprebn in one"});
    CHECK(those_that_are("to do", outcome).empty());
    CHECK(says(outcome, "reads h(32, 0), out of bounds: h is 32 × 100\n"));
    CHECK(says(outcome, "culprit dbnmeani"));
    CHECK(says(outcome, "non-finite"));
    CHECK(says(outcome, "unwritten"));
    CHECK(says_of_access(outcome, "reads past the end of its result"));  // += begins with that
    CHECK(says(outcome, "crashes (Segmentation fault); byhand exercise --sanitize address shows the line\n"));
    CHECK(says(outcome, "crashes (Aborted);"));
    // What reads the value of a step that could not be run inherits nothing: byhand's own value stands for it.
    CHECK_FALSE(says(outcome, "inherited from dembcat"));
}

TEST_CASE("exercise: whatever a function does to its process, it is named, the others are judged, and a report comes") {
    need_torch();
    const Folder folder;
    Bodies bodies = right_bodies();
    const auto also = [&](const std::string& name, const std::string& statement) {
        bodies.at(name).insert(0, statement + "\n");
    };
    also("db2", "std::exit(0);");
    also("dh", "for (volatile int x = 0; x == 0;) {}");
    also("dW2", "out.data()[out.count() + 5000] = 0;");
    also("dbnbias", "out.data()[out.count() + 200] = 0;");
    also("dembcat", "static volatile T last; last = dhprebn.data()[dhprebn.count() + 1];");  // read, and dropped
    also("dbnraw", "std::fesetround(FE_UPWARD);");
    also("dW1", "throw 3;");
    also("dbngain", "throw std::runtime_error(\"Gr\\xf6\\xdf\" \"e\\x1b[31m\");");
    also("dlogits", "std::puts(\"a line of output\"); std::fflush(stdout);");
    also("dlogits_in_one", "::close(1);");
    fill_in(folder, bodies);
    folder.write(
        "mine.cpp",
        "#include <unistd.h>\n#include <cfenv>\n#include <cstdio>\n#include <cstdlib>\n#include <stdexcept>\n" +
            folder.read("mine.cpp"));
    const Environment ours = {{"CXXFLAGS", "-O0"}, {"ASAN_OPTIONS", "handle_segv=0"}};
    folder.write("report.xml", "an old report");
    const Outcome junit =
        byhand(folder, {"exercise", "mine.cpp", "--timeout", "1", "--format", "junit", "--output", "report.xml"}, ours);
    INFO(junit.out << junit.err);
    CHECK(junit.code == 1);
    CHECK(junit.out.empty());
    CHECK(text::contains(junit.err, "a line of output\n"));
    CHECK(text::contains(folder.read("report.xml"), R"(tests="28" failures="9" errors="0" skipped="0")"));

    const Outcome outcome = byhand(folder, {"exercise", "mine.cpp", "--verbose", "--timeout", "1"}, ours);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_FALSE(says(outcome, "a line of output"));
    CHECK(those_that_are("wrong", outcome) ==
          Names{"db2", "dh", "dW2", "dbngain", "dbnbias", "dembcat", "dbnraw", "dW1", "dlogits in one"});
    CHECK(those_that_are("right", outcome).size() == 19);  // no one else's numbers are changed by it
    CHECK_FALSE(says(outcome, "inherited"));
    for (const std::string what :
         {"exits the process (exit code 0)", "does not return within 1 s; --timeout allows more",
          "leaves the rounding mode changed", "throws an object other than std::exception", "closes file descriptor 1",
          "Gr\\xf6\\xdfe\\x1b[31m"}) {
        CHECK(says(outcome, "  " + what + "\n"));
    }
    CHECK(says_of_access(outcome, "writes past the end of its result"));
    CHECK(says_of_access(outcome, "reads past the end of dhprebn"));
}

TEST_CASE("exercise: what a library does while it is opened is no verdict, and is not in the report") {
    need_torch();
    const Folder folder;
    const std::string includes = "#include <cstdio>\n#include <cstdlib>\n";
    const std::string text = includes + source_file("exercise/kernel.cpp");
    const std::string in_one = "    steps.add_in_one(\"dhprebn\"";
    REQUIRE(text.find(in_one) != std::string::npos);
    const auto with_line = [&](const std::string& line) {
        folder.write("kernel.cpp", std::string(text).insert(text.find(in_one), line + "\n"));
        return byhand(folder, {"exercise", "kernel.cpp", "--format", "json"}, fast_build_wide_report());
    };
    check_refused(with_line("std::exit(0);"), "kernel.cpp exits the process (exit code 0) while it is loaded");
    // At the end of the program as well.
    const Outcome outcome =
        with_line("std::puts(\"opened\"); std::atexit([] { std::puts(\"ended\"); std::_Exit(77); });");
    CHECK(outcome.code == 0);
    CHECK(json_of(outcome)["verdict"].get<std::string>() == "agree");
}

TEST_CASE(
    "exercise: a library that ends the process later, or when it is opened again, leaves no run without a verdict") {
    need_torch();
    const Folder folder;
    const std::string text =
        "#include <signal.h>\n#include <unistd.h>\n#include <chrono>\n#include <cstdio>\n"
        "#include <fstream>\n#include <string>\n#include <thread>\n" +
        source_file("exercise/kernel.cpp");
    const auto with_constructor = [&](const std::string& body) {
        folder.write("kernel.cpp", text + "\n__attribute__((constructor)) void begin() {" + body + "}\n");
        folder.write("report.json", "an old report");
        return byhand(folder, {"exercise", "kernel.cpp", "--format", "json", "--output", "report.json"},
                      fast_build_wide_report());
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
    CHECK(text::contains(folder.read("report.json"), "\"verdict\""));
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

TEST_CASE(
    "exercise: more memory than a machine has is refused with what is needed, what may be used, and what there is") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, {"exercise", "--batch", "2000000"});
    check_refused(outcome, "2000000 rows of this network need about ");
    CHECK(text::contains(outcome.err, " GB, 75 % of "));
    CHECK(text::contains(outcome.err, " GB; give a smaller --batch\n"));
}

TEST_CASE("exercise: --timeout is of all calls of a function together") {
    need_torch();
    const Folder folder;
    Bodies bodies = right_bodies();
    bodies.at("db2").insert(0, "usleep(50000);\n");
    fill_in(folder, bodies);
    folder.write("mine.cpp", "#include <unistd.h>\n" + folder.read("mine.cpp"));
    const Outcome outcome = exercise(folder, {"--timeout", "1"});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == Names{"db2"});
    CHECK(says(outcome, "culprit db2 (mine.cpp:"));
    CHECK(says(outcome, "  is not done with all its calls within 1 s; --timeout allows more\n"));
    CHECK(exercise(folder, {"--timeout", "60"}).code == 0);
}

TEST_CASE("exercise --sanitize address: the line of a fault that no check sees") {
    need_torch();
    const Folder folder;
    const std::string line = "std::vector<T> part(3); out(i, j) = dcounts(i, j) * counts(i, j) + 0 * part[i + 3];";
    fill_in(folder, with(right_bodies(), "dnorm_logits", "out(i, j) = dcounts(i, j) * counts(i, j);", line));
    folder.write("mine.cpp", "#include <vector>\n" + folder.read("mine.cpp"));
    // Whatever its user has set for other programs.
    const Outcome outcome = byhand(folder, {"exercise", "mine.cpp", "--verbose", "--sanitize", "address"},
                                   {{"ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0"}});
    if (text::contains(outcome.err, "has no AddressSanitizer")) {
        SKIP("the compiler has no AddressSanitizer");
    }
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(text::contains(outcome.err, "heap-buffer-overflow"));
    CHECK(text::contains(outcome.err, "mine.cpp:"));
    CHECK(those_that_are("wrong", outcome) == Names{"dnorm_logits"});
    const std::string text = folder.read("mine.cpp");
    const auto at = text.begin() + static_cast<std::ptrdiff_t>(text.find(line));
    const std::string place = "mine.cpp:" + std::to_string(1 + std::count(text.begin(), at, '\n'));
    CHECK(says(outcome, "crashes (Aborted): heap-buffer-overflow at " + place + "\n"));
    CHECK(text::contains(outcome.err, place));
    CHECK(those_that_are("right", outcome).size() == 27);
}

TEST_CASE("exercise --threads, --sanitize thread: a data race") {
    need_torch();
    const Folder folder;
    fill_in(folder, with(right_bodies(), "db2", "T sum = 0;", "static T sums[64]; T& sum = sums[j % 64]; sum = 0;"));
    CHECK(exercise(folder).code == 0);  // in one thread it is right
    const Outcome threads = exercise(folder, {"--threads"});
    INFO(threads.out << threads.err);
    CHECK(threads.code == 1);
    CHECK(those_that_are("wrong", threads) == Names{"db2"});
    CHECK(says(threads, "  gives different results when two threads call it at once\n"));

    const Outcome sanitized = exercise(folder, {"--sanitize", "thread"});
    INFO(sanitized.out << sanitized.err);
    if (text::contains(sanitized.err, "has no ThreadSanitizer")) {
        SKIP("the compiler has no ThreadSanitizer");
    }
    CHECK(sanitized.code == 1);
    CHECK(those_that_are("wrong", sanitized) == Names{"db2"});
    CHECK(text::contains(sanitized.err, "SUMMARY: ThreadSanitizer: data race"));
    CHECK(text::contains(sanitized.err, "mine.cpp:"));
}

TEST_CASE("exercise: a library that one has built oneself; what can't be used is refused") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const std::string own =
        std::string(BYHAND_CXX) + " -std=c++20 -O1 -fPIC -shared -I" BYHAND_SOURCES "/include mine.cpp -o mine.so";
    const Outcome built = byhand_under(folder, own, {"exercise", "mine.so", "--verbose", "--batch", "7"});
    INFO(built.out << built.err);
    CHECK(built.code == 0);
    CHECK(says(built, "26 of 26 right"));

    check_refused(byhand(folder, {"exercise", "absent.cpp"}), "absent.cpp: can't be read: No such file");
    check_refused(byhand(folder, {"exercise", "absent.so"}), "absent.so can't be opened");
    check_refused(byhand(folder, {"exercise", "mine.so", "--sanitize", "address"}),
                  "mine.so is already built; --sanitize");
    check_refused(byhand(folder, {"exercise", "mine.so", "--flags=-O3"}), "mine.so is already built; --flags");
    check_refused(byhand(folder, {"exercise", "mine.cpp"}, {{"CXX", "no-such-compiler"}}), "name yours by CXX");
    folder.write("broken.cpp", "#include \"exercise/steps.h\"\nint x = \"no number\";\n");
    folder.write("empty.cpp", "#include \"exercise/steps.h\"\nvoid byhand_steps(byhand::exercise::Steps&) {}\n");
    check_refused(byhand(folder, {"exercise", "empty.cpp"}), "empty.cpp: byhand_steps adds no function of float");
    const Outcome broken = byhand(folder, {"exercise", "broken.cpp"});
    CHECK(broken.code == 2);
    CHECK(text::contains(broken.err, "broken.cpp:2:"));
    CHECK(text::contains(broken.err, "broken.cpp does not compile"));
    CHECK(folder.files() == std::vector<std::string>{"broken.cpp", "empty.cpp", "mine.cpp", "mine.so"});
}

TEST_CASE("exercise: with SIGCHLD ignored, or without a folder or a compiler to build with, it is refused") {
    need_torch();
    const Folder folder;
    folder.write("k.so", "no library");
    const Outcome outcome =
        Process(folder, "/usr/bin/env", {"--ignore-signal=CHLD", byhand_program(), "exercise", "k.so"}, {}).wait();
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    folder.write("own.cpp", "");
    check_refused(byhand(folder, {"exercise", "own.cpp"}, {{"TMPDIR", "/nowhere"}}), "TMPDIR");
    check_refused(byhand(folder, {"exercise", "own.cpp"}, {{"CXX", "no-such-compiler"}}),
                  "there is no no-such-compiler; name yours by CXX");
}

TEST_CASE("exercise: a long run shows how far it is on a terminal, and nowhere else") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const Arguments arguments = {"exercise", "mine.cpp", "--batch", "200"};
    const Outcome quiet = byhand(folder, arguments, fast_build_wide_report());
    CHECK(quiet.err.empty());
    const Outcome shown = byhand_on_terminal(folder, arguments, fast_build_wide_report(), true);
    CHECK(shown.code == 0);
    CHECK(shown.out.starts_with("compiling mine.cpp ...\r\n"));
    CHECK(shown.out.find("judging ") != std::string::npos);
    CHECK(shown.out.find(" function ") != std::string::npos);
    CHECK(shown.out.find("comparing end to end ...") != std::string::npos);
    const Outcome report = byhand_on_terminal(folder, arguments, {{"NO_COLOR", "1"}, {"CXXFLAGS", "-O0"}});
    CHECK(report.err.empty());
    CHECK(report.out.find("judging") == std::string::npos);
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
        {"compiles", {"exercise", "mine.cpp"}, {{"CXX", "./slow"}}},
        {"compiles", {"train", "--model", "exercise", "--functions", "mine.cpp", "--save", "m"}, {{"CXX", "./slow"}}}};
    if (with_torch()) {
        cases.push_back({"runs", {"exercise", "mine.cpp"}, fast_build_wide_report()});
        cases.push_back({"runs", {"exercise", "mine.cpp", "--sanitize", "address"}, fast_build_wide_report()});
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
            CHECK(outcome.err.find("byhand:") == std::string::npos);
            CHECK(std::filesystem::is_empty(folder.path() / "tmp"));
            CHECK_FALSE(folder.has("m"));
            if (c.says == "runs") {
                CHECK_FALSE(runs(folder.read("pid")));
                CHECK_FALSE(runs(folder.read("orphan")));
            } else {
                CHECK_FALSE(runs(folder.read("pass")));
            }
        }
    }
}

TEST_CASE("exercise: a library that is open has no folder any more, and SIGKILL leaves no process") {
    need_torch();
    const Folder folder;
    fill_in(folder, {{"dlogprobs",
                      "std::ofstream(\"pid\") << getpid() << std::endl; std::fputs(\"runs\", stderr); for (;;) ;"}});
    folder.write("mine.cpp", "#include <unistd.h>\n#include <cstdio>\n#include <fstream>\n" + folder.read("mine.cpp"));
    std::filesystem::create_directory(folder.path() / "tmp");
    Process process(folder, byhand_program(), {"exercise", "mine.cpp"},
                    {{"CXXFLAGS", "-O0"}, {"TMPDIR", folder.file("tmp")}});
    REQUIRE(process.says("runs"));
    CHECK(std::filesystem::is_empty(folder.path() / "tmp"));
    CHECK(runs(folder.read("pid")));
    process.signal(SIGKILL);
    CHECK(process.wait().code == 128 + SIGKILL);
    for (int i = 0; i < 200 && runs(folder.read("pid")); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK_FALSE(runs(folder.read("pid")));
}

}  // namespace cli_test
