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

// The state and the parent follow the process's name, which may contain spaces and brackets. No id: it has ended.
Process read_process(const std::filesystem::path& folder) {
    std::ifstream file(folder / "stat");
    std::string line;
    std::getline(file, line);
    Process process;
    const std::size_t name_ends = line.rfind(')');
    if (name_ends != std::string::npos &&
        std::istringstream(line.substr(name_ends + 1)) >> process.state >> process.parent) {
        process.id = std::stoi(folder.filename());
    }
    return process;
}

// (Not every kernel has /proc/PID/task/TID/children.)
std::vector<Process> all_processes() {
    std::vector<Process> all;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos) {
            if (const Process process = read_process(at->path()); process.id != 0) {
                all.push_back(process);
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
