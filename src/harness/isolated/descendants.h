// The processes that another one has started.
#pragma once

#include <sys/types.h>

namespace byhand {

// Kills the children of this process (the ancestor) or of a child of this process, their children, and so on. Only
// processes that are their ancestor's in /proc at that time are found: an ancestor of processes whose parents end is
// their subreaper. Returns when all have ended, or after 2 s: some may belong to another user.
void end_descendants_of(pid_t ancestor);

}  // namespace byhand
