#include "cli/interrupt.h"

#include <atomic>
#include <csignal>
#include <cstddef>

#include "cli/say.h"

namespace byhand::cli {
namespace {

constexpr int kBySignal = 128;
constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

// A signal handler can only set a global; it may run on any thread.
std::atomic<int> mark = 0;  // the signal; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void leave_mark(int signal) {
    if (mark.exchange(signal) != 0 && signal != SIGHUP) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
    }
}

}  // namespace

InterruptWatch::InterruptWatch() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        before_[i] = std::signal(kSignals[i], SIG_IGN);
        if (before_[i] != SIG_IGN && kSignals[i] != SIGPIPE) {
            std::signal(kSignals[i], leave_mark);
        }
    }
}

void InterruptWatch::restore() const {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        std::signal(kSignals[i], before_[i]);
    }
}

bool interrupted() {
    return mark != 0;
}

int interrupted_exit_code() {
    return interrupted() ? kBySignal + mark : kInterrupted;
}

bool is_interrupted_exit_code(int code) {
    return code == kInterrupted || code == kBySignal + SIGTERM || code == kBySignal + SIGHUP;
}

void end_if_interrupted() {
    if (interrupted()) {
        std::signal(mark, SIG_DFL);
        std::raise(mark);
    }
}

}  // namespace byhand::cli
