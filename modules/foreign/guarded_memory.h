// Memory between inaccessible pages: an access past either end is a fault at once, with the address, which tells the
// operand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace byhand {

class Journal;  // foreign/subprocess.h

enum class Access { none, read, write };

// Whole pages.
struct Pages {
    std::byte *begin, *end;

    // Whether the system allows it: write access may require memory.
    bool allow(Access access) const;
    // Returns the memory to the system but keeps the addresses: any access is a fault.
    void retire() const;
};

// Pages of zeros, writable at first, with inaccessible address space before and after them, so that a stray index does
// not reach other memory.
class GuardedPages {
public:
    static constexpr std::size_t kGuard = std::size_t{1} << 20;  // bytes before and after
    enum class Sharing { own, shared };                          // shared: with processes forked later

    // Throws std::bad_alloc if the system provides none.
    explicit GuardedPages(std::size_t bytes, Sharing kind = Sharing::own);
    GuardedPages(const GuardedPages&) = delete;
    GuardedPages& operator=(const GuardedPages&) = delete;
    ~GuardedPages();

    std::byte* begin() const { return pages_.begin; }
    std::byte* end() const { return pages_.end; }  // of the last page

    bool allow(Access access) const { return pages_.allow(access); }

private:
    Pages pages_;
};

// The place of an operand in its pages: aligned with their end or with their beginning.
enum class Place { end, beginning };

// An operand of a call in its own pages, writable at first.
struct GuardedOperand {
    const char* name;  // nullptr: it is the result
    Pages pages;
    std::byte *begin, *end;
};

// The operand that a faulting address belongs to; async-signal-safe.
struct AddressInfo {
    enum class Region { elsewhere, before, inside, past, retired } where = Region::elsewhere;
    const char* name = nullptr;  // of the operand; nullptr: the result
    std::size_t distance = 0;    // beyond kGuard: bytes from its end, or its beginning
};

// All operands, in memory that is guarded as well. The gap between two is as large as the error of a wrong row or
// stride may be, which costs only addresses.
class OperandTable {
public:
    explicit OperandTable(std::size_t most);
    OperandTable(const OperandTable&) = delete;
    OperandTable& operator=(const OperandTable&) = delete;
    ~OperandTable();

    // Precondition: there are fewer than `most`. Throws std::bad_alloc if the system provides no memory.
    GuardedOperand& add(const char* name, std::size_t bytes, Place place);
    // From now on any access to the present operands is a fault.
    void retire();
    // The operand that contains the address, present or retired, or that ends or begins within kGuard of it.
    AddressInfo at(const void* address) const;
    // Otherwise: the nearest operand that is not retired, within the reach of a 32-bit index. A write is attributed to
    // the result, a read to an operand; none if the access is unknown.
    AddressInfo nearest(const void* address, Access access) const;

private:
    void reserve_for(std::size_t bytes);

    GuardedPages pages_;
    GuardedOperand* operands_;
    std::size_t size_ = 0, retired_ = 0;
    std::vector<Pages> reserved_;     // inaccessible except for operands
    std::byte* free_ends_ = nullptr;  // where the next one may end, in the last reservation
    std::size_t gap_ = 0;             // bytes between two of its operands
};

// ---- Reports which operand a segmentation fault concerns, before the process ends ----

// For a subprocess: SIGSEGV and SIGBUS write the fault into the journal, as "writes past the end of its result", "reads
// before the beginning of dlogits" or "overflows the stack", and then end the process as usual. If AddressSanitizer is
// present they are left to it, since it reports more.
class AccessFaults {
public:
    AccessFaults(Journal& journal, const OperandTable& operands);
    AccessFaults(const AccessFaults&) = delete;
    AccessFaults& operator=(const AccessFaults&) = delete;
    ~AccessFaults();
};

// A stack for the handler in the constructing thread, whose own stack may have overflowed.
class HandlerStack {
public:
    HandlerStack();
    HandlerStack(const HandlerStack&) = delete;
    HandlerStack& operator=(const HandlerStack&) = delete;
    ~HandlerStack();

private:
    GuardedPages pages_;
};

}  // namespace byhand
