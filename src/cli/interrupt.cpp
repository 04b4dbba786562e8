#include "cli/interrupt.h"

#include <atomic>
#include <csignal>

namespace byhand::cli {
namespace {

constexpr int kWatched[] = {SIGINT, SIGTERM, SIGHUP};

// A signal handler has nothing but a global to leave its mark in; it may run on any thread.
std::atomic<bool> mark = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void leave_mark(int signal) {
    if (mark.exchange(true) && signal != SIGHUP) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
    }
}

}  // namespace

InterruptWatch::InterruptWatch() {
    for (const int signal : kWatched) {
        if (std::signal(signal, leave_mark) == SIG_IGN) {
            std::signal(signal, SIG_IGN);
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
}

InterruptWatch::~InterruptWatch() {
    for (const int signal : kWatched) {
        if (std::signal(signal, SIG_DFL) == SIG_IGN) {
            std::signal(signal, SIG_IGN);
        }
    }
    std::signal(SIGPIPE, SIG_DFL);
}

bool interrupted() {
    return mark;
}

}  // namespace byhand::cli
