// What the programs return.
#pragma once

namespace byhand::cli {

// 0 fine; 1 no agreement, or not finite; 2 bad usage or input; 130 interrupted (129 and 143 by SIGHUP and SIGTERM,
// interrupt.h).
enum ExitCode : int { kFine = 0, kDisagrees = 1, kBadInput = 2, kInterrupted = 130 };

}  // namespace byhand::cli
