// Says of a segmentation fault which operand it is about, before the process ends by it.
#pragma once

#include "harness/isolated/guarded_memory.h"
#include "harness/isolated/subprocess.h"

namespace byhand {

// For a subprocess: SIGSEGV and SIGBUS write into the journal what went where, as "writes past the end of its result",
// "reads before the beginning of dlogits" or "overflows the stack", and then end the process as they do anyway. Where
// AddressSanitizer is present they are left to it, which says more.
class AccessFaults {
public:
    AccessFaults(Journal& journal, const OperandTable& operands);
    AccessFaults(const AccessFaults&) = delete;
    AccessFaults& operator=(const AccessFaults&) = delete;
    ~AccessFaults();
};

// A stack for the handler, of the thread that makes it: its own may be what is at its end.
class HandlerStack {
public:
    HandlerStack();
    HandlerStack(const HandlerStack&) = delete;
    HandlerStack& operator=(const HandlerStack&) = delete;
    ~HandlerStack();

private:
    GuardedPages pages_;
};

// What a function does that writes to an operand.
std::string overwriting(const std::string& name);

}  // namespace byhand
