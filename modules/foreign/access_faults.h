// Reports which operand a segmentation fault concerns, before the process ends.
#pragma once

#include "foreign/guarded_memory.h"
#include "foreign/subprocess.h"

namespace byhand {

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
