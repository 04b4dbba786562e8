#include "cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "torch_ref/module_beside.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace cli_test {
namespace {

constexpr std::chrono::microseconds kLongestPause = std::chrono::milliseconds(5);

// The environment of the test with these on top, without what would change the program's manners.
std::vector<std::string> environment_with(const Environment& extra) {
    Environment all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        all[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    }
    all.erase("NO_COLOR");
    all.erase("COLUMNS");
    all["TERM"] = "xterm-256color";
    for (const auto& [name, value] : extra) {
        all[name] = value;
    }
    std::vector<std::string> entries;
    for (const auto& [name, value] : all) {
        entries.push_back(name + "=" + value);
    }
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

void must(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Starts the program with these for its streams.
pid_t start(const Folder& folder, const std::string& program, Arguments arguments, const Environment& environment,
            const std::string& out, const std::string& err) {
    arguments.insert(arguments.begin(), program);
    std::vector<std::string> entries = environment_with(environment);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.path().c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_NOCTTY, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT, 0600);
    // Whoever runs the tests in the background may have signals ignored; the program begins with none so.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, pointers(arguments).data(),
                                    pointers(entries).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    must(error == 0, "could not start " + program);
    return pid;
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        must(errno == EINTR, "waitpid");
    }
    return status;
}

}  // namespace

const std::string& byhand_program() {
    static const std::string path = [] {
        const char* named = std::getenv("BYHAND_PROGRAM");  // NOLINT(concurrency-mt-unsafe): one thread
        return std::string(named != nullptr ? named : BYHAND_PROGRAM);
    }();
    return path;
}

bool with_torch() {
    return torch_ref_test::module_beside(byhand_program());
}

Arguments::Arguments(const std::string& line) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        push_back(word);
    }
}

Arguments operator+(Arguments a, const Arguments& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Process::Process(const Folder& folder, const std::string& program, const Arguments& arguments,
                 const Environment& environment)
    : pid_(start(folder, program, arguments, environment, outputs_.file("out"), outputs_.file("err"))) {}

Process::~Process() {
    if (!ended_) {
        ::kill(pid_, SIGKILL);
        wait_for(pid_);
    }
}

bool waits_until(const std::function<bool()>& holds, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(kLongestPause);
    }
    return true;
}

bool Process::says(const std::string& text, std::chrono::seconds limit) {
    waits_until([&] { return ended() || contains(err(), text); }, limit);
    return contains(err(), text);
}

void Process::signal(int number) const {
    if (!ended_) {
        ::kill(pid_, number);
    }
}

bool Process::ended() {
    if (!ended_) {
        const pid_t got = ::wait4(pid_, &status_, WNOHANG, &used_);
        must(got >= 0 || errno == EINTR, "wait4");
        ended_ = got == pid_;
    }
    return ended_;
}

Outcome Process::wait(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (auto pause = std::chrono::microseconds(100); !ended(); pause = std::min(pause * 2, kLongestPause)) {
        if (std::chrono::steady_clock::now() > end) {
            ::kill(pid_, SIGKILL);
        }
        std::this_thread::sleep_for(pause);
    }
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {code_of(status_), outputs_.read("out"), outputs_.read("err"),
            seconds(used_.ru_utime) + seconds(used_.ru_stime), static_cast<std::uint64_t>(used_.ru_maxrss) * 1024};
}

Outcome byhand(const Folder& folder, const Arguments& arguments, const Environment& environment) {
    return Process(folder, byhand_program(), arguments, environment).wait();
}

Outcome succeeds(const Folder& folder, const Arguments& arguments, const Environment& environment) {
    Outcome outcome = byhand(folder, arguments, environment);
    CAPTURE(arguments, outcome.out, outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome;
}

Outcome byhand_under(const Folder& folder, const std::string& shell, const Arguments& arguments) {
    return Process(folder, "/bin/sh", Arguments{"-c", shell + "; exec \"$0\" \"$@\"", byhand_program()} + arguments, {})
        .wait();
}

Outcome byhand_on_terminal(const Folder& folder, const Arguments& arguments, const Environment& environment,
                           bool err_too, unsigned short columns) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    must(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0, "no terminal to be had");
    const std::string name = ::ptsname(terminal);                          // NOLINT(concurrency-mt-unsafe): one thread
    const int held = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);  // so that a slow start is no hang-up
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    must(columns == 0 || ::ioctl(terminal, TIOCSWINSZ, &size) == 0, "a terminal without a size");
    const Folder outputs;
    const pid_t pid =
        start(folder, byhand_program(), arguments, environment, name, err_too ? name : outputs.file("err"));
    Outcome outcome;
    std::thread reader([&] {
        char buffer[4096];
        for (ssize_t got = 0; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) {
            outcome.out.append(buffer, static_cast<std::size_t>(got));
        }
    });
    const int status = wait_for(pid);
    ::close(held);  // the last one who has it open: the reader comes to the end
    reader.join();
    ::close(terminal);
    outcome.code = code_of(status);
    outcome.err = err_too ? "" : outputs.read("err");
    return outcome;
}

std::vector<std::string> models() {
    std::vector<std::string> all = {"fused", "stepwise", "collapsed"};
    if (with_torch()) {
        all.emplace_back("torch");
    }
    return all;
}

void need_torch() {
    if (!with_torch()) {
        SKIP("LibTorch is missing");
    }
}

Json json_of(const Outcome& outcome) {
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return parsed_json(outcome.out);
}

std::string exchanged(std::string text, const std::string& part, const std::string& other) {
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), other);
}

std::size_t times(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
        ++found;
    }
    return found;
}

void check_refused(const Outcome& outcome, const std::string& what) {
    CAPTURE(outcome.err, what);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.starts_with("byhand: "));
    CHECK(outcome.err.ends_with('\n'));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find('\x1b') == std::string::npos);
    CHECK_FALSE(contains(outcome.err, "internal error"));
    CHECK(contains(outcome.err, what));
}

void check_refused(const Folder& folder, const std::vector<Refusal>& all) {
    for (const auto& [command, what] : all) {
        CAPTURE(command);
        check_refused(byhand(folder, command), what);
    }
}

}  // namespace cli_test
