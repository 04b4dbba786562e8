#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "foreign/subprocess.h"

namespace byhand {
namespace {

struct Process {
    pid_t id = 0, parent = 0;
    char state = 0;  // Z: ended, but not reaped
};

// (Not every kernel has /proc/PID/task/TID/children.) The state and the parent follow the process's name, which may
// contain spaces and brackets.
std::vector<Process> all_processes() {
    std::vector<Process> all;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos) {
            std::ifstream file(at->path() / "stat");
            std::string line;
            std::getline(file, line);
            Process process{.id = std::stoi(name)};
            if (std::istringstream(line.substr(line.rfind(')') + 1)) >> process.state >> process.parent) {
                all.push_back(process);  // it has not ended
            }
        }
    }
    return all;
}

// Those that have not ended.
std::vector<pid_t> descendants_of(pid_t ancestor) {
    std::vector<Process> others = all_processes();
    std::vector<pid_t> running, parents = {ancestor};
    while (!parents.empty()) {
        const pid_t parent = parents.back();
        parents.pop_back();
        for (Process& process : others) {
            if (process.parent == parent) {
                process.parent = 0;  // visited
                parents.push_back(process.id);
                if (process.state != 'Z' && process.state != 'X') {
                    running.push_back(process.id);
                }
            }
        }
    }
    return running;
}

}  // namespace

void end_descendants_of(int ancestor) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPatience = std::chrono::seconds(2);
    const Clock::time_point until = Clock::now() + kPatience;
    for (std::vector<pid_t> running = descendants_of(ancestor); !running.empty() && Clock::now() < until;
         running = descendants_of(ancestor)) {
        for (const pid_t process : running) {
            ::kill(process, SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
}

}  // namespace byhand
