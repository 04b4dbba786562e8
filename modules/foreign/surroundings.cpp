#include "foreign/surroundings.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <csignal>

namespace byhand {
namespace {

// The bits of those descriptors that are open.
std::uint64_t open_among(std::uint64_t descriptors) {
    std::uint64_t open = 0;
    for (; descriptors != 0; descriptors &= descriptors - 1) {
        const int descriptor = std::countr_zero(descriptors);
        if (::fcntl(descriptor, F_GETFD) >= 0) {
            open |= std::uint64_t{1} << descriptor;
        }
    }
    return open;
}

}  // namespace

bool has_child() {
    siginfo_t info{};
    // WNOWAIT leaves the exit status to the code that started the process. __WALL includes those without SIGCHLD.
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

Surroundings::Surroundings()
    : rounding_(std::fegetround()), open_(open_among(~std::uint64_t{0})), process_(::getpid()) {
    std::fegetenv(&environment_);
}

std::string Surroundings::changes_of_floating_point() const {
    if (rounding_ != std::fegetround()) {
        return "leaves the rounding mode changed";
    }
#if defined(__x86_64__) && defined(__GLIBC__)
    struct Bits {
        unsigned mxcsr, x87;
        const char* change;
    };
    constexpr Bits kBits[] = {{1U << 15, 0, "leaves flush-to-zero switched on"},
                              {1U << 6, 0, "leaves denormals-are-zero switched on"},
                              {3U << 13, 0, "leaves the rounding mode changed"},  // fegetround only reads the x87's
                              {0x3fU << 7, 0x3f, "leaves floating-point exceptions trapping"},
                              {0, 3U << 8, "leaves the x87's precision changed"}};
    std::fenv_t now;
    std::fegetenv(&now);
    for (const auto& [mxcsr, x87, change] : kBits) {
        if (((environment_.__mxcsr ^ now.__mxcsr) & mxcsr) != 0 ||
            ((environment_.__control_word ^ now.__control_word) & x87) != 0) {
            return change;
        }
    }
#endif
    return "";
}

std::string Surroundings::changes() {
    std::string changed = changes_of_floating_point();
    if (!changed.empty()) {
        std::fesetenv(&environment_);
        return changed;
    }
    const std::uint64_t closed = open_ & ~open_among(open_);
    open_ &= ~closed;
    return closed == 0 ? "" : "closes file descriptor " + std::to_string(std::countr_zero(closed));
}

bool Surroundings::has_new_process() const {
    return ::getpid() != process_ || has_child();
}

}  // namespace byhand
