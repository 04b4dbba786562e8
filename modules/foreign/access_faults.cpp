#include "foreign/access_faults.h"

#include <ucontext.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace byhand {
namespace {

constexpr std::size_t kStack = std::size_t{1} << 16;

// A signal handler can only use globals.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
Journal* journal_of_handler = nullptr;
const OperandTable* operands_of_handler = nullptr;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

// None if the processor does not provide it.
Access access_of(const void* context) {
#ifdef __x86_64__
    constexpr greg_t kWrites = 2;  // of the page fault's error code
    return (static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & kWrites) != 0 ? Access::write
                                                                                                : Access::read;
#else
    static_cast<void>(context);
    return Access::none;
#endif
}

std::string_view words_of(Access access) {
    return access == Access::write ? "writes " : access == Access::read ? "reads " : "reads or writes ";
}

bool is_at_the_stack_pointer(const void* address, const void* context) {
#ifdef __x86_64__
    // A function's frame begins below the stack pointer that its caller had, and may be large.
    constexpr std::uintptr_t kNear = std::uintptr_t{1} << 16;
    const auto pointer =
        static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at + kNear >= pointer && at <= pointer + kNear;
#else
    static_cast<void>(address);
    static_cast<void>(context);
    return false;
#endif
}

// "4,000,000", at the end of `to`; async-signal-safe.
std::string_view digits_of(std::size_t number, std::array<char, 32>& to) {
    std::size_t begin = to.size();
    for (int digits = 0; digits == 0 || number != 0; ++digits) {
        if (digits != 0 && digits % 3 == 0) {
            to[--begin] = ',';
        }
        to[--begin] = static_cast<char>('0' + number % 10);
        number /= 10;
    }
    return {to.data() + begin, to.size() - begin};
}

void record(const void* address, const void* context) {
    using Region = AddressInfo::Region;
    const Access access = access_of(context);
    AddressInfo info = operands_of_handler->at(address);
    if (info.where == Region::elsewhere) {
        if (is_at_the_stack_pointer(address, context)) {
            journal_of_handler->fault({"overflows the stack"});
            return;
        }
        info = operands_of_handler->nearest(address, access);
    }
    std::array<char, 32> room{};
    const bool is_far = info.distance > 0;
    const std::string_view distance = is_far ? digits_of(info.distance, room) : "", bytes = is_far ? " bytes " : "";
    const std::string_view name = info.name == nullptr ? "its result" : info.name;
    switch (info.where) {
        case Region::before:
            journal_of_handler->fault({words_of(access), distance, bytes, "before the beginning of ", name});
            break;
        case Region::past:
            journal_of_handler->fault({words_of(access), distance, bytes, "past the end of ", name});
            break;
        case Region::inside:
            journal_of_handler->fault({"overwrites ", name, ", which it reads"});
            break;
        case Region::retired:
            journal_of_handler->fault({words_of(access), "what was ", name, " in an earlier call"});
            break;
        case Region::elsewhere:
            break;
    }
}

extern "C" void on_access_fault(int number, siginfo_t* info, void* context) {
    if (info->si_code > 0) {  // by the processor, not by kill()
        record(info->si_addr, context);
    }
    std::signal(number, SIG_DFL);
    ::raise(number);  // when this handler is done
}

void handle(int number) {
    struct sigaction action = {};
    action.sa_sigaction = on_access_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(number, &action, nullptr);
}

}  // namespace

AccessFaults::AccessFaults(Journal& journal, const OperandTable& operands) {
    if (has_address_sanitizer()) {
        return;
    }
    journal_of_handler = &journal;
    operands_of_handler = &operands;
    handle(SIGSEGV);
    handle(SIGBUS);
}

AccessFaults::~AccessFaults() {
    if (!has_address_sanitizer()) {
        std::signal(SIGSEGV, SIG_DFL);
        std::signal(SIGBUS, SIG_DFL);
    }
}

HandlerStack::HandlerStack() : pages_(kStack) {
    if (!has_address_sanitizer()) {
        stack_t stack{};
        stack.ss_sp = pages_.begin();
        stack.ss_size = kStack;
        ::sigaltstack(&stack, nullptr);
    }
}

HandlerStack::~HandlerStack() {
    if (!has_address_sanitizer()) {
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        ::sigaltstack(&none, nullptr);
    }
}

}  // namespace byhand
