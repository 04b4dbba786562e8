#include "foreign/interleave.h"

#ifdef __x86_64__
#include <ucontext.h>

#include <csignal>
#include <cstddef>
#endif

namespace byhand {

#ifdef __x86_64__
namespace {

constexpr greg_t kTrapFlag = 0x100;  // of the flags register: a trap after each instruction

constexpr std::size_t kMostInstructions = 4000;  // looked at: each costs a microsecond, on a virtual machine ten
constexpr std::size_t kPoints = 64;              // as close as the gap; those that follow are further apart
constexpr std::size_t kGap = 7;                  // instructions

struct Interleaved {
    const std::function<void()>& between;
    std::size_t instructions = 0, points = 0, next = 0;
    bool ends = false;
};

// A handler has nothing but globals to go by. NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
Interleaved* running = nullptr;

extern "C" void on_trap(int, siginfo_t*, void* context) {
    greg_t& flags = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
    Interleaved& now = *running;
    if (now.ends || now.instructions == kMostInstructions) {
        flags &= ~kTrapFlag;
        return;
    }
    flags |= kTrapFlag;
    if (now.instructions++ == now.next) {
        now.next += ++now.points < kPoints ? kGap : now.next / kPoints;
        now.between();
    }
}

}  // namespace

void run_interleaved(const std::function<void()>& work, const std::function<void()>& between) {
    Interleaved interleaved{between};
    running = &interleaved;
    struct sigaction action = {}, before = {};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(SIGTRAP, &action, &before);
    std::raise(SIGTRAP);  // its handler sets the flag
    work();
    interleaved.ends = true;
    std::raise(SIGTRAP);  // where the flag is set, the trap of the next instruction has cleared it already
    ::sigaction(SIGTRAP, &before, nullptr);
    running = nullptr;
}
#else
void run_interleaved(const std::function<void()>& work, const std::function<void()>&) {
    work();
}
#endif

}  // namespace byhand
