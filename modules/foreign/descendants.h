// The processes that a process has started.
#pragma once

namespace byhand {

// Kills the children of a process, their children, and so on, as /proc shows them: those whose parents have ended are
// found if the process is their subreaper. Returns when all have ended, or after 2 s: some may belong to another user.
void end_descendants_of(int ancestor);

}  // namespace byhand
