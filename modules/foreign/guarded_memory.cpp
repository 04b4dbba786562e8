#include "foreign/guarded_memory.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <new>
#include <string_view>

#include "foreign/subprocess.h"

namespace byhand {
namespace {

std::size_t whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

// Inaccessible address space of this many bytes. Throws std::bad_alloc if the system provides none.
std::byte* reserve(std::size_t bytes) {
    void* all = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        throw std::bad_alloc();
    }
    return static_cast<std::byte*>(all);
}

}  // namespace

bool Pages::allow(Access access) const {
    const int protection = access == Access::none   ? PROT_NONE
                           : access == Access::read ? PROT_READ
                                                    : PROT_READ | PROT_WRITE;
    return ::mprotect(begin, static_cast<std::size_t>(end - begin), protection) == 0;
}

void Pages::retire() const {
    constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (begin != end &&
        ::mmap(begin, static_cast<std::size_t>(end - begin), PROT_NONE, kNothing, -1, 0) == MAP_FAILED) {
        allow(Access::none);
    }
}

GuardedPages::GuardedPages(std::size_t bytes, Sharing kind) : pages_{} {
    bytes = whole_pages(bytes);
    std::byte* all = reserve(bytes + 2 * kGuard);
    pages_ = {all + kGuard, all + kGuard + bytes};
    const int sharing = kind == Sharing::shared ? MAP_SHARED : MAP_PRIVATE;
    if (bytes > 0 &&
        ::mmap(begin(), bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        ::munmap(all, bytes + 2 * kGuard);
        throw std::bad_alloc();
    }
}

GuardedPages::~GuardedPages() {
    ::munmap(begin() - kGuard, static_cast<std::size_t>(end() - begin()) + 2 * kGuard);
}

OperandTable::OperandTable(std::size_t most)
    : pages_(most * sizeof(GuardedOperand)), operands_(reinterpret_cast<GuardedOperand*>(pages_.begin())) {}

OperandTable::~OperandTable() {
    for (const auto& [begin, end] : reserved_) {
        ::munmap(begin, static_cast<std::size_t>(end - begin));
    }
}

// Addresses for many operands at once. They may be limited, by ulimit -v, and ThreadSanitizer has few.
void OperandTable::reserve_for(std::size_t bytes) {
    constexpr std::size_t kAtOnce = 32, kWide = std::size_t{128} << 20, kNarrow = 2 * GuardedPages::kGuard;
    const auto reserve_with = [&](std::size_t gap) {
        const std::size_t all = bytes + kAtOnce * gap;
        std::byte* begin = reserve(all);
        reserved_.push_back({begin, begin + all});
        gap_ = gap;
        free_ends_ = begin + all - gap;
    };
    try {
        reserve_with(has_thread_sanitizer() ? kNarrow : kWide);
    } catch (const std::bad_alloc&) {
        reserve_with(kNarrow);
    }
}

GuardedOperand& OperandTable::add(const char* name, std::size_t bytes, Place place) {
    const std::size_t whole = whole_pages(bytes);
    if (reserved_.empty() || static_cast<std::size_t>(free_ends_ - reserved_.back().begin) < whole + gap_) {
        reserve_for(whole);
    }
    const Pages pages{free_ends_ - whole, free_ends_};
    if (!pages.allow(Access::write)) {
        throw std::bad_alloc();
    }
    free_ends_ = pages.begin - gap_;
    std::byte* begin = place == Place::beginning ? pages.begin : pages.end - bytes;
    return *new (operands_ + size_++) GuardedOperand{name, pages, begin, begin + bytes};
}

void OperandTable::retire() {
    while (retired_ < size_) {
        Pages pages = operands_[retired_++].pages;
        // All that lie in one reservation at once, with what is between.
        while (retired_ < size_ && operands_[retired_].pages.end == pages.begin - gap_) {
            pages.begin = operands_[retired_++].pages.begin;
        }
        pages.retire();
    }
}

AddressInfo OperandTable::at(const void* address) const {
    using Region = AddressInfo::Region;
    const auto* there = static_cast<const std::byte*>(address);
    for (std::size_t i = 0; i < size_; ++i) {
        const GuardedOperand& operand = operands_[i];
        const bool retired = i < retired_;
        const std::size_t near = retired ? 0 : GuardedPages::kGuard;
        if (there >= operand.pages.begin - near && there < operand.pages.end + near) {
            return {.where = retired                 ? Region::retired
                             : there < operand.begin ? Region::before
                             : there < operand.end   ? Region::inside
                                                     : Region::past,
                    .name = operand.name};
        }
    }
    return {};
}

AddressInfo OperandTable::nearest(const void* address, Access access) const {
    using Region = AddressInfo::Region;
    // The reach of an unsigned 32-bit index of doubles.
    constexpr std::size_t kFarthest = sizeof(double) << 32U;
    const auto there = reinterpret_cast<std::uintptr_t>(address);
    AddressInfo info{.distance = kFarthest};
    for (std::size_t i = retired_; i < size_; ++i) {
        const bool is_result = operands_[i].name == nullptr;
        if (access != Access::none && is_result != (access == Access::write)) {
            continue;
        }
        const auto begin = reinterpret_cast<std::uintptr_t>(operands_[i].begin),
                   end = reinterpret_cast<std::uintptr_t>(operands_[i].end);
        if (there < begin && begin - there < info.distance) {
            info = {.where = Region::before, .name = operands_[i].name, .distance = begin - there};
        } else if (there >= end && there - end < info.distance) {
            info = {.where = Region::past, .name = operands_[i].name, .distance = there - end};
        }
    }
    return info;
}

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
