#include "base/process.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace byhand {
namespace {

[[noreturn]] void refuse(const std::string& program, int error) {
    throw InputError(printable(program) + " can't be run: " + reason(error));
}

// A file in memory instead of a pipe, so that neither process can block on the other.
Descriptor memory_file(const std::string& program, std::string_view text) {
    Descriptor file(::memfd_create("byhand", MFD_CLOEXEC));
    if (file.number() < 0 || !write_all(file.number(), text.data(), text.size())) {
        refuse(program, errno);
    }
    ::lseek(file.number(), 0, SEEK_SET);
    return file;
}

std::string text_in(const Descriptor& file, const std::string& program) {
    ::lseek(file.number(), 0, SEEK_SET);
    std::string text;
    std::array<char, 4096> some{};
    while (const std::size_t got = read_some(file.number(), some.data(), some.size(), "what " + program + " wrote")) {
        text.append(some.data(), got);
    }
    return text;
}

// Starts a program, which leads a process group of its own or stays in this one's, which a terminal's Ctrl-C reaches;
// nullopt if there is none of that name.
std::optional<pid_t> spawned(const std::vector<std::string>& words, const Streams& streams, bool leads) {
    std::vector<std::string> copies = words;  // execvp takes words that can be modified
    std::vector<char*> arguments;
    arguments.reserve(copies.size() + 1);
    for (std::string& word : copies) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::array<int, 3> given = {streams.in, streams.out, streams.err};
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
        if (given[standard] >= 0) {
            posix_spawn_file_actions_adddup2(&actions, given[standard], standard);
        }
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, leads ? POSIX_SPAWN_SETPGROUP : 0);  // its id is the child's
    pid_t child = 0;
    const int error = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) {
        return std::nullopt;
    }
    if (error != 0) {
        refuse(words[0], error);
    }
    return child;
}

// Waits until the rest of a group, whose leader has ended by SIGTERM, has ended too; kills it if it takes long.
void wait_for_group(pid_t group) {
    constexpr int kPatience = 500;  // milliseconds
    for (int i = 0; i < kPatience && ::kill(-group, 0) == 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::kill(-group, SIGKILL);
}

}  // namespace

Ended ended_with(int status) {
    if (WIFSIGNALED(status)) {
        constexpr int kSignal = 128;
        return {.exit_code = kSignal + WTERMSIG(status), .signal = WTERMSIG(status)};
    }
    return {.exit_code = WEXITSTATUS(status), .signal = std::nullopt};
}

Ended wait_for(int child, const GoesOn& goes_on) {
    int status = 0;
    bool asks = static_cast<bool>(goes_on);
    const bool leads = asks && ::getpgid(child) == child;
    for (pid_t ended = 0; (ended = ::waitpid(child, &status, asks ? WNOHANG : 0)) != child;) {
        if (ended < 0 && errno != EINTR) {
            throw InputError("the system does not report how a process ended: " + reason());
        }
        if (asks && !goes_on()) {
            ::kill(leads ? -child : child, SIGTERM);
            asks = false;
        } else if (asks) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    if (leads && !asks) {  // by SIGTERM
        wait_for_group(child);
    }
    return ended_with(status);
}

std::chrono::microseconds cpu_time() {
    std::chrono::microseconds all{0};
    for (const auto whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage used{};
        getrusage(whose, &used);
        for (const timeval& time : {used.ru_utime, used.ru_stime}) {
            all += std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
        }
    }
    return all;
}

std::optional<Ended> run_program(const std::vector<std::string>& words, const Streams& streams, const GoesOn& goes_on) {
    const std::optional<pid_t> child = spawned(words, streams, static_cast<bool>(goes_on));
    return child ? std::optional(wait_for(*child, goes_on)) : std::nullopt;
}

std::optional<ProgramRun> run_and_read(const std::vector<std::string>& words, std::string_view in) {
    const Descriptor input = memory_file(words[0], in), output = memory_file(words[0], {}),
                     errors = memory_file(words[0], {});
    const std::optional<Ended> ended =
        run_program(words, {.in = input.number(), .out = output.number(), .err = errors.number()});
    if (!ended) {
        return std::nullopt;
    }
    return ProgramRun{ended->exit_code, text_in(output, words[0]), text_in(errors, words[0])};
}

std::string last_line(std::string text) {
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text.substr(text.rfind('\n') + 1);
}

}  // namespace byhand
