// The one error of the project: something that came from outside is not usable.
#pragma once

#include <stdexcept>
#include <string>

#include "base/utf8.h"

namespace byhand {

// Bad usage or bad input. The message is one line that says what is wrong, where (file, line, byte, key) and
// what to do. The command prints it and exits with 2; no other code prints or exits. It is made printable here,
// whatever of it came from outside: one line, that steers no terminal and does not end at a NUL.
struct InputError : std::runtime_error {
    explicit InputError(const std::string& what) : std::runtime_error(printable(what)) {}
};

}  // namespace byhand
