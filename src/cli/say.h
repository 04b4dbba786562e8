// Messages on standard error, and exit codes.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace byhand::cli {

// Errors of the stream are ignored. Precondition: text from outside has been made printable.
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
    const std::string text = fmt::format(format, std::forward<Values>(values)...);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

// ---- What the programs return ----

// 0 fine; 1 no agreement, or not finite; 2 bad usage or input; 130 interrupted (129 and 143 by SIGHUP and SIGTERM,
// interrupt.h).
enum ExitCode : int { kFine = 0, kDisagrees = 1, kBadInput = 2, kInterrupted = 130 };

}  // namespace byhand::cli
