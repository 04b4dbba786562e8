#include "cli/apart.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/exit_code.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kLongest = 256;

// A text that the child writes and the parent reads after its end.
class Shared {
public:
    Shared() : memory_(::mmap(nullptr, kLongest, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (memory_ == MAP_FAILED) {
            throw InputError("no memory to share with a process of its own: " + reason());
        }
    }
    ~Shared() { ::munmap(memory_, kLongest); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    void write(const std::string& text) {
        char* to = static_cast<char*>(memory_);
        to[text.copy(to, kLongest - 1)] = '\0';
    }
    std::string read() const { return static_cast<const char*>(memory_); }

private:
    void* memory_;
};

}  // namespace

Apart run_apart(const InterruptWatch& signals,
                const std::function<int(const std::function<void(const std::string&)>& doing)>& work) {
    Shared shared;
    std::fflush(nullptr);  // or it would be written twice
    const pid_t child = ::fork();
    if (child < 0) {
        throw InputError("no process to run your functions in: " + reason());
    }
    if (child == 0) {
        signals.restore();
        int code = kBadInput;
        try {
            code = work([&shared](const std::string& text) { shared.write(text); });
        } catch (const std::exception& error) {
            say("byhand: {}\n", printable(error.what()));
        }
        std::fflush(nullptr);
        ::_exit(code);
    }
    const Ended ended = wait_for(child, [] { return !interrupted(); });
    return {.exit_code = ended.signal ? kDisagrees : ended.exit_code, .signal = ended.signal, .doing = shared.read()};
}

}  // namespace byhand::cli
