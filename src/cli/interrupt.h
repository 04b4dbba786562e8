// Ctrl-C, as a question to ask between two steps.
#pragma once

namespace byhand::cli {

// From now on SIGINT and SIGTERM only leave a mark, the first time; a second one ends the program at once.
void watch_for_interrupt();

bool interrupted();

}  // namespace byhand::cli
