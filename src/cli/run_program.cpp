#include "cli/run_program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace byhand::cli {
namespace {

// A file that is in memory only, so that neither side of a pipe can wait for the other.
class Memory {
public:
    explicit Memory(std::string program)
        : program_(std::move(program)), descriptor_(::memfd_create("byhand", MFD_CLOEXEC)) {
        if (descriptor_ < 0) {
            throw InputError(program_ + " can't be run: the system has too many files open");
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
                throw InputError("there is not enough memory for what " + program_ + " is given");
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
    std::string program_;
    int descriptor_;
};

}  // namespace

std::optional<ProgramRun> run_program(const std::string& program, const std::vector<std::string>& arguments,
                                      std::string_view in) {
    const Memory input(program), output(program), errors(program);
    input.write(in);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.descriptor(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    pid_t child = 0;
    const int error = posix_spawnp(&child, program.c_str(), &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) {
        return std::nullopt;
    }
    if (error != 0) {
        throw InputError(program + " can't be run: the system has too many processes");
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    constexpr int kSignal = 128;
    const int exit_code = WIFSIGNALED(status) ? kSignal + WTERMSIG(status) : WEXITSTATUS(status);
    return ProgramRun{exit_code, output.read(), errors.read()};
}

}  // namespace byhand::cli
