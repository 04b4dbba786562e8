#include "exercise/build.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <vector>

#include "base/error.h"

namespace byhand::exercise {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words words_in(const std::string& text) {
    std::istringstream stream(text);
    Words words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

Words words_of(const char* variable) {
    const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody writes to it meanwhile
    return words_in(text != nullptr ? text : "");
}

// "ccache g++" may be two words.
Words compiler() {
    const Words named = words_of("CXX");
    return named.empty() ? Words{BYHAND_COMPILER} : named;
}

// Runs it to its end, its output going to `descriptor`; what waitpid says.
int run(const Words& words, int descriptor) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words) {
        arguments.push_back(
            const_cast<char*>(word.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): its type
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, descriptor, STDOUT_FILENO);
    pid_t child = 0;
    const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw InputError("no compiler: " + words.front() + " can't be run; name yours by CXX");
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

}  // namespace

void build(const std::string& file, const std::string& library, const BuildConfig& config) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
        throw InputError(file + ": there is no such file");
    }
    if (access(file.c_str(), R_OK) != 0) {
        throw InputError(file + ": can't be read: " + std::generic_category().message(errno));
    }
    Words words = compiler();
    for (const char* option : {"-std=c++20", "-fPIC", "-shared", "-ffp-contract=off", "-Wall"}) {
        words.emplace_back(option);
    }
    const Words how = config.sanitize
                          ? Words{"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"}
                          : Words{"-O2"};
    words.insert(words.end(), how.begin(), how.end());
    words.insert(words.end(), {"-I" + config.headers, "-x", "c++", file, "-x", "none", "-o", library});
    for (const Words& theirs : {words_of("CXXFLAGS"), words_in(config.flags)}) {
        words.insert(words.end(), theirs.begin(), theirs.end());
    }
    if (run(words, STDERR_FILENO) != 0) {
        throw InputError(file + " does not compile");
    }
}

std::string address_sanitizer() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw InputError("no pipe to the compiler: the system has too many files open");
    }
    Words words = compiler();
    words.emplace_back("-print-file-name=libasan.so");
    const int status = run(words, ends[1]);
    close(ends[1]);
    std::string path;
    std::array<char, 256> some{};
    for (ssize_t got = 0; (got = read(ends[0], some.data(), some.size())) > 0;) {
        path.append(some.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    path.erase(path.find_last_not_of('\n') + 1);
    if (status != 0 || path.find('/') == std::string::npos) {
        throw InputError(words.front() +
                         " has no AddressSanitizer (libasan.so); leave --sanitize out, or name g++ by CXX");
    }
    return path;
}

}  // namespace byhand::exercise
