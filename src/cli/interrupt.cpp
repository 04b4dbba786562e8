#include "cli/interrupt.h"

#include <csignal>

namespace byhand::cli {
namespace {

// A signal handler has nothing but a global to leave its mark in.
volatile std::sig_atomic_t mark = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void leave_mark(int signal) {
    mark = 1;
    std::signal(signal, SIG_DFL);
}

}  // namespace

void watch_for_interrupt() {
    std::signal(SIGINT, leave_mark);
    std::signal(SIGTERM, leave_mark);
}

bool interrupted() {
    return mark != 0;
}

}  // namespace byhand::cli
