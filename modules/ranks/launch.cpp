#include "ranks/launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

namespace byhand::distributed {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);
// After one rank has failed, the others notice by themselves; after this time they are ended.
constexpr auto kGrace = std::chrono::seconds(10);

constexpr int kCantStart = 2;

// In its own process group, so that a terminal's Ctrl-C reaches it once, from this process; it ends with this process.
pid_t start(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& environment) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) {
        throw InputError("no further process can be started: " + reason());
    }
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::setpgid(0, 0);
        for (const auto& [name, value] : environment) {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
        ::execv("/proc/self/exe", arguments.data());
        std::_Exit(kCantStart);
    }
    return child;
}

std::string in_words(const Ended& how) {
    return how.signal ? "was ended by signal " + std::to_string(*how.signal) + " (" + ::strsignal(*how.signal) + ")"
                      : "ended with exit code " + std::to_string(how.exit_code);
}

// Those that are running.
void signal_all(const std::vector<pid_t>& children, int signal) {
    for (const pid_t child : children) {
        if (child > 0) {
            ::kill(child, signal);
        }
    }
}

// The place of a child that has ended, and how it ended; nothing if none has since the last call. Its process id
// becomes 0.
std::optional<std::pair<std::size_t, Ended>> next_ended(std::vector<pid_t>& children) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) {
        throw InputError("the system does not report how a process ended: " + reason());
    }
    const auto child = std::ranges::find(children, ended);
    if (ended <= 0 || child == children.end()) {
        return std::nullopt;
    }
    *child = 0;
    return std::pair(static_cast<std::size_t>(child - children.begin()), ended_with(status));
}

// c10d aborts if it can't write to the file where ranks meet.
void check_room_in(const std::filesystem::path& folder) {
    constexpr std::size_t kRoom = std::size_t{1} << 16;  // bytes; the file takes fewer
    const std::string file = folder / "room", zeros(kRoom, '\0');
    const Descriptor room(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    if (room.number() < 0 || !write_all(room.number(), zeros.data(), zeros.size())) {
        throw InputError("the ranks can't meet at " + folder.string() + ": " + reason() +
                         "; set TMPDIR to a folder with room");
    }
    std::filesystem::remove(file);
}

}  // namespace

std::vector<pid_t> start_ranks(std::size_t ranks, const std::vector<std::string>& words,
                               const std::filesystem::path& folder) {
    check_room_in(folder);
    std::vector<pid_t> processes;
    processes.reserve(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const std::string number = std::to_string(rank), size = std::to_string(ranks);
        processes.push_back(start(words, {{"RANK", number},
                                          {"WORLD_SIZE", size},
                                          {"LOCAL_RANK", number},
                                          {"LOCAL_WORLD_SIZE", size},
                                          {"BYHAND_RANKS_FILE", folder / "ranks"}}));
    }
    return processes;
}

RanksEnded wait_for_ranks(std::vector<pid_t> children, const WaitConfig& how_to) {
    auto deadline = std::chrono::steady_clock::time_point::max();
    bool is_passed_on = false, is_ended_here = false;
    RanksEnded all;
    for (std::size_t running = children.size(); running > 0;) {
        if (const auto next = next_ended(children)) {
            const auto& [rank, how] = *next;
            --running;
            // One that was ended here may have waited for the first that was lost.
            all.lost += how.signal && (!is_ended_here || all.lost == 0) ? 1 : 0;
            if (all.code == 0 && how.exit_code != 0) {
                all.code = how.exit_code;
                if (!is_passed_on) {
                    how_to.failed(rank, all.code, in_words(how));
                }
                deadline = std::chrono::steady_clock::now() + kGrace;
            }
            continue;
        }
        if (how_to.interrupted() && !is_passed_on) {
            signal_all(children, SIGTERM);
            is_passed_on = true;
        }
        if (!is_passed_on && std::chrono::steady_clock::now() > deadline) {
            signal_all(children, SIGKILL);
            is_ended_here = true;
        }
        std::this_thread::sleep_for(kPause);
    }
    return all;
}

}  // namespace byhand::distributed
