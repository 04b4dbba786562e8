#include "harness/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

#include "harness/subprocess.h"

namespace byhand {
namespace {

std::size_t whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

// As many bytes without access; nullptr where the system gives none.
std::byte* reserve(std::size_t bytes) {
    void* all = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return all != MAP_FAILED ? static_cast<std::byte*>(all) : nullptr;
}

}  // namespace

std::size_t GuardedPages::wide_guard() {
    return has_thread_sanitizer() ? kGuard : std::size_t{64} << 20;
}

GuardedPages::GuardedPages(std::size_t bytes, Kind kind, std::size_t guard)
    : bytes_(whole_pages(bytes)), guard_(guard) {
    std::byte* all = reserve(bytes_ + 2 * guard_);
    if (all == nullptr && guard_ > kGuard) {  // addresses may be limited, by ulimit -v
        guard_ = kGuard;
        all = reserve(bytes_ + 2 * guard_);
    }
    if (all == nullptr) {
        throw std::bad_alloc();
    }
    begin_ = all + guard_;
    const int sharing = kind == Kind::shared ? MAP_SHARED : MAP_PRIVATE;
    if (bytes_ > 0 &&
        ::mmap(begin_, bytes_, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        ::munmap(all, bytes_ + 2 * guard_);
        throw std::bad_alloc();
    }
}

GuardedPages::GuardedPages(GuardedPages&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_), guard_(other.guard_) {}

GuardedPages::~GuardedPages() {
    if (begin_ != nullptr) {
        ::munmap(begin_ - guard_, bytes_ + 2 * guard_);
    }
}

void GuardedPages::allow(Access access) const {
    const int protection = access == Access::none   ? PROT_NONE
                           : access == Access::read ? PROT_READ
                                                    : PROT_READ | PROT_WRITE;
    ::mprotect(begin_, bytes_, protection);
}

void GuardedPages::retire() const {
    constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (bytes_ > 0 && ::mmap(begin_, bytes_, PROT_NONE, kNothing, -1, 0) == MAP_FAILED) {
        allow(Access::none);
    }
}

GuardedOperand::GuardedOperand(const char* its_name, std::size_t bytes, Place place)
    : name(its_name),
      pages(bytes, GuardedPages::Kind::own, GuardedPages::wide_guard()),
      begin(place == Place::beginning ? pages.begin() : pages.end() - bytes),
      end(begin + bytes) {}

OperandTable::OperandTable(std::size_t most)
    : pages_(most * sizeof(GuardedOperand)), operands_(reinterpret_cast<GuardedOperand*>(pages_.begin())) {}

OperandTable::~OperandTable() {
    std::destroy_n(operands_, size_);
}

GuardedOperand& OperandTable::add(const char* name, std::size_t bytes, Place place) {
    auto* added = new (operands_ + size_) GuardedOperand(name, bytes, place);
    ++size_;
    return *added;
}

void OperandTable::retire() {
    for (; retired_ < size_; ++retired_) {
        operands_[retired_].pages.retire();
    }
}

AddressInfo OperandTable::at(const void* address) const {
    using Where = AddressInfo::Where;
    const auto* there = static_cast<const std::byte*>(address);
    for (std::size_t i = 0; i < size_; ++i) {
        const GuardedOperand& operand = operands_[i];
        const bool retired = i < retired_;
        const std::size_t near = retired ? 0 : GuardedPages::kGuard;
        if (there >= operand.pages.begin() - near && there < operand.pages.end() + near) {
            return {.where = retired                 ? Where::retired
                             : there < operand.begin ? Where::before
                             : there < operand.end   ? Where::inside
                                                     : Where::past,
                    .name = operand.name};
        }
    }
    return {};
}

AddressInfo OperandTable::nearest(const void* address) const {
    using Where = AddressInfo::Where;
    // As much as an unsigned index of 32 bits goes, of doubles.
    constexpr std::size_t kFarthest = sizeof(double) << 32U;
    const auto there = reinterpret_cast<std::uintptr_t>(address);
    AddressInfo info{.distance = kFarthest};
    for (std::size_t i = retired_; i < size_; ++i) {
        const auto begin = reinterpret_cast<std::uintptr_t>(operands_[i].begin),
                   end = reinterpret_cast<std::uintptr_t>(operands_[i].end);
        if (there < begin && begin - there < info.distance) {
            info = {.where = Where::far_before, .name = operands_[i].name, .distance = begin - there};
        } else if (there >= end && there - end < info.distance) {
            info = {.where = Where::far_past, .name = operands_[i].name, .distance = there - end};
        }
    }
    return info;
}

}  // namespace byhand
