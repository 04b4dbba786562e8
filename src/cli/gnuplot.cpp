#include "cli/gnuplot.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string_view>

#include "base/error.h"

namespace byhand::cli {
namespace {

// A file that is in memory only, so that neither side of a pipe can wait for the other.
class Memory {
public:
    Memory() : descriptor_(::memfd_create("gnuplot", MFD_CLOEXEC)) {
        if (descriptor_ < 0) {
            throw InputError("no memory for a picture: the system has too many files open");
        }
    }
    ~Memory() { ::close(descriptor_); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    int descriptor() const { return descriptor_; }

    void write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t written = ::write(descriptor_, text.data(), text.size());
            if (written < 0) {
                throw InputError("there is not enough memory for the plot's data");
            }
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        ::lseek(descriptor_, 0, SEEK_SET);
    }

    std::string read() const {
        ::lseek(descriptor_, 0, SEEK_SET);
        std::string text;
        std::array<char, 4096> some{};
        for (ssize_t got = 0; (got = ::read(descriptor_, some.data(), some.size())) > 0;) {
            text.append(some.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

private:
    int descriptor_;
};

}  // namespace

std::optional<std::string> gnuplot(const std::string& commands) {
    const Memory in, out, err;
    in.write(commands);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.descriptor(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.descriptor(), STDERR_FILENO);
    std::array<char, 8> name = {"gnuplot"};
    std::array<char, 3> commands_from = {"-"};
    std::array<char*, 3> arguments = {name.data(), commands_from.data(), nullptr};
    pid_t child = 0;
    const int error = posix_spawnp(&child, name.data(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) {
        return std::nullopt;
    }
    if (error != 0) {
        throw InputError("gnuplot can't be run: the system has too many processes");
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        throw std::runtime_error("gnuplot failed: " + err.read());
    }
    return out.read();
}

}  // namespace byhand::cli
