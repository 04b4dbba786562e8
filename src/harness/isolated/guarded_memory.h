// Memory between inaccessible pages: what goes past an end of it is a fault at once, with an address that says where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace byhand {

enum class Access { none, read, write };

// Whole pages.
struct Pages {
    std::byte *begin, *end;

    // Whether the system does so: to write may take memory.
    bool allow(Access access) const;
    // Gives the memory back for good, but not the addresses: whatever goes there is a fault.
    void retire() const;
};

// Pages of zeros, writable at first, with inaccessible address space on both sides: no stray index hits something else
// by a little.
class GuardedPages {
public:
    static constexpr std::size_t kGuard = std::size_t{1} << 20;  // bytes on either side
    enum class Kind { own, shared };                             // shared: with processes forked later

    // Throws std::bad_alloc where the system gives none.
    explicit GuardedPages(std::size_t bytes, Kind kind = Kind::own);
    GuardedPages(GuardedPages&& other) noexcept;
    GuardedPages(const GuardedPages&) = delete;
    GuardedPages& operator=(const GuardedPages&) = delete;
    GuardedPages& operator=(GuardedPages&&) = delete;
    ~GuardedPages();

    std::byte* begin() const { return pages_.begin; }
    std::byte* end() const { return pages_.end; }  // of the last page

    bool allow(Access access) const { return pages_.allow(access); }

private:
    Pages pages_;
};

// Where in its pages an operand lies: its end, or its beginning, is that of the pages. The other leaves a gap.
enum class Place { end, beginning };

// One operand of a call in pages of its own, writable at first.
struct GuardedOperand {
    const char* name;  // nullptr: it is the result
    Pages pages;
    std::byte *begin, *end;
};

// What a fault at an address is about, as a signal handler may ask.
struct AddressInfo {
    enum class Where { elsewhere, before, inside, past, retired, far_before, far_past } where = Where::elsewhere;
    const char* name = nullptr;  // of the operand; nullptr: the result
    std::size_t distance = 0;    // far: bytes from its end, or its beginning
};

// All operands that have been handed out, in memory that is as guarded as they are. Between two lies as much as a wrong
// row or a wrong stride may be off, which costs nothing but addresses.
class OperandTable {
public:
    explicit OperandTable(std::size_t most);
    OperandTable(const OperandTable&) = delete;
    OperandTable& operator=(const OperandTable&) = delete;
    ~OperandTable();

    // Precondition: there are fewer than `most`. Throws std::bad_alloc where the system gives no memory.
    GuardedOperand& add(const char* name, std::size_t bytes, Place place);
    // Nothing may go to the operands that there are by now any more.
    void retire();
    // The operand that is there, or was, or ends or begins near there: within kGuard.
    AddressInfo at(const void* address) const;
    // Else: the one that lies nearest of those that are not retired, at a distance that an index of 32 bits may come
    // to. What was written is taken for the result, what was read for an operand; none where it is not known.
    AddressInfo nearest(const void* address, Access access) const;

private:
    void reserve_for(std::size_t bytes);

    GuardedPages pages_;
    GuardedOperand* operands_;
    std::size_t size_ = 0, retired_ = 0;
    std::vector<Pages> reserved_;     // without access but where operands are
    std::byte* free_ends_ = nullptr;  // where the next one may end, in the last of them
    std::size_t gap_ = 0;             // bytes between two there
};

}  // namespace byhand
