// The process that external code runs in, and what that code may do to those around it.
#include "foreign/subprocess.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/processes.h"
#include "base/temporary_folder.h"
#include "base/text.h"

using namespace byhand;
using namespace std::chrono_literals;
using text::contains;

namespace {

std::string fault_of(const std::function<void()>& work, std::chrono::milliseconds timeout = 5s) {
    return run_in_subprocess({.timeout = timeout}, [&](Journal&) { work(); }).fault;
}

// Whether the process ends within 5 s.
bool ends(pid_t pid) {
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (test::runs(pid) && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(1ms);
    }
    return !test::runs(pid);
}

// Writes 0xff to every shared mapping of at most 64 kB that is writable.
void overwrite_shared_memory() {
    std::ifstream maps("/proc/self/maps");
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> found;
    for (std::string line; std::getline(maps, line);) {
        char* rest = nullptr;
        const std::uintptr_t begin = std::strtoull(line.c_str(), &rest, 16);
        const std::uintptr_t end = std::strtoull(rest + 1, &rest, 16);
        if (std::string_view(rest).starts_with(" rw-s") && end - begin <= (1U << 16)) {
            found.emplace_back(begin, end);
        }
    }
    for (const auto& [begin, end] : found) {
        std::memset(reinterpret_cast<void*>(begin), 0xff, end - begin);
    }
}

}  // namespace

TEST_CASE(
    "run_in_subprocess: a thousand runs in eight threads leave each other and the processes of a ninth thread alone") {
    std::atomic<bool> over = false;
    std::atomic<int> lost = 0, started = 0, faults = 0;
    std::thread starts_processes([&] {
        while (!over) {
            const pid_t child = ::fork();
            if (child == 0) {
                ::usleep(2000);
                ::_exit(7);
            }
            int status = 0;
            lost += ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7 ? 1 : 0;
            ++started;
        }
    });
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (int run = 0; run < 125; ++run) {
                const bool stays = (run + thread) % 25 == 0;  // starts a process, which is ended
                faults += fault_of([&] {
                              if (stays && ::fork() == 0) {
                                  ::pause();
                              }
                          }) != ""
                              ? 1
                              : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    over = true;
    starts_processes.join();
    CHECK(started > 8);
    CHECK(lost == 0);
    CHECK(faults == 0);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("run_in_subprocess: a process that stops itself or its parent, or that waits for a lock, has a time limit") {
    CHECK(fault_of([] { ::raise(SIGSTOP); }) == "stops its process");
    CHECK(contains(fault_of([] { ::kill(::getppid(), SIGSTOP); }, 300ms), "does not return within 300 ms"));
    const auto lock_an_output = [](std::FILE* file) {
        std::atomic<bool> locked = false;
        std::thread([&, file] {
            ::flockfile(file);
            locked = true;
            for (;;) {
                ::pause();
            }
        }).detach();
        while (!locked) {
            std::this_thread::yield();
        }
    };
    CHECK(contains(fault_of([&] { lock_an_output(stdout); }, 300ms), "does not return within 300 ms"));
    // A thread of a library has the lock in the process that judges.
    const SubprocessEnd outer = run_in_subprocess({.timeout = 20s}, [&](Journal& journal) {
        lock_an_output(stderr);
        journal.fault({fault_of([] { throw std::runtime_error("the inner fault"); })});
        ::_exit(0);
    });
    CHECK(outer.fault == "the inner fault");
}

TEST_CASE("run_in_subprocess: time spent waiting for a CPU does not count") {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    const auto compute_while = [&one](const auto& goes_on) {
        ::sched_setaffinity(0, sizeof one, &one);
        while (goes_on()) {
        }
    };
    std::atomic<bool> over = false;
    std::jthread other([&] { compute_while([&] { return !over; }); });
    // Half of the time is the other's. The work ends by the clock, however much more others take.
    const auto work = [&] {
        const auto until = std::chrono::steady_clock::now() + 1200ms;
        compute_while([=] { return std::chrono::steady_clock::now() < until; });
    };
    CHECK(fault_of(work, 1s) == "");
    over = true;
}

TEST_CASE("run_in_subprocess: it leaves no ended process, also to a caller that inherits orphans") {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const auto orphan = [] {
        if (::fork() == 0) {
            ::setsid();
            ::pause();
        }
    };
    CHECK(fault_of(orphan) == "");
    CHECK(contains(fault_of([&] { orphan(), ::pause(); }, 300ms), "does not return"));
    CHECK(contains(fault_of([] { ::kill(::getppid(), SIGSTOP), ::pause(); }, 300ms), "does not return"));
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("run_in_subprocess: what a process writes into shared memory does not harm the processes around it") {
    const SubprocessEnd outer = run_in_subprocess({}, [&](Journal& journal) {
        const std::string inner = fault_of(overwrite_shared_memory);
        journal.fault({inner});
    });
    CHECK(outer.fault == "overwrites memory that is not its own");
}

TEST_CASE("run_in_subprocess: the text of an exception is one printable line of UTF-8, cut between characters") {
    CHECK(fault_of([] {
              throw std::runtime_error(
                  "Gr\xf6\xdf"
                  "e");
          }) == "Gr\\xf6\\xdfe");
    CHECK(fault_of([] { throw std::runtime_error("\x1b[31m<b>\n"); }) == "\\x1b[31m<b>\\x0a");
    std::string long_text = "aa";
    for (int i = 0; i < 200; ++i) {
        long_text += "é";
    }
    const std::string cut = fault_of([&] { throw std::runtime_error(long_text); });
    CHECK(cut.starts_with("aaéé"));
    CHECK(cut.ends_with("é…"));
    CHECK(fault_of([] { throw std::runtime_error("ab\u202e"); }) == "ab\\xe2\\x80\\xae");
}

TEST_CASE(
    "run_in_subprocess: what a process leaves in other sessions ends although the process that runs it is killed") {
    const temporary::Folder folder;
    const std::string file = folder.file("pid");
    const pid_t runs = ::fork();
    if (runs == 0) {
        fault_of([&] {
            if (::fork() == 0) {
                ::setsid();
                std::ofstream(file + ".part") << ::getpid() << std::endl;
                std::rename((file + ".part").c_str(), file.c_str());
                for (;;) {
                    ::pause();
                }
            }
            ::pause();
        });
        ::_exit(0);
    }
    while (!folder.has("pid")) {
        std::this_thread::sleep_for(1ms);
    }
    const int left = std::stoi(folder.read("pid"));
    ::kill(runs, SIGKILL);
    CHECK(::waitpid(runs, nullptr, 0) == runs);
    CHECK(ends(left));
}
