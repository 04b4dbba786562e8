#include "harness/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

namespace byhand {
namespace {

std::size_t whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

}  // namespace

GuardedPages::GuardedPages(std::size_t bytes, Kind kind) : bytes_(whole_pages(bytes)) {
    void* all = ::mmap(nullptr, bytes_ + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        throw std::bad_alloc();
    }
    begin_ = static_cast<std::byte*>(all) + kGuard;
    const int sharing = kind == Kind::shared ? MAP_SHARED : MAP_PRIVATE;
    if (bytes_ > 0 &&
        ::mmap(begin_, bytes_, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        ::munmap(all, bytes_ + 2 * kGuard);
        throw std::bad_alloc();
    }
}

GuardedPages::GuardedPages(GuardedPages&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}

GuardedPages::~GuardedPages() {
    if (begin_ != nullptr) {
        ::munmap(begin_ - kGuard, bytes_ + 2 * kGuard);
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
      pages(bytes),
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
        if (there < operand.pages.begin() - GuardedPages::kGuard ||
            there >= operand.pages.end() + GuardedPages::kGuard) {
            continue;
        }
        return {.where = i < retired_            ? Where::retired
                         : there < operand.begin ? Where::before
                         : there < operand.end   ? Where::inside
                                                 : Where::past,
                .name = operand.name};
    }
    return {};
}

}  // namespace byhand
