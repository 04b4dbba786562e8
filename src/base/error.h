// The project's only error type: unusable input.
#pragma once

#include <stdexcept>
#include <string>

#include "base/utf8.h"

namespace byhand {

// Bad usage or bad input. The message is one line: what is wrong, where (file, line, byte, key) and what to do. The
// command prints it and exits with 2; no other code prints or exits. The constructor makes the message printable: one
// line, without terminal control sequences and without NUL.
struct InputError : std::runtime_error {
    explicit InputError(const std::string& what) : std::runtime_error(printable(what)) {}
};

}  // namespace byhand
