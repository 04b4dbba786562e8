#include "foreign/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

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

}  // namespace byhand
