// Independent parts of work, on all cores.
#pragma once

#include <cstddef>
#include <functional>

namespace byhand::lab {

// Runs part(0) … part(parts − 1), on as many threads as there are cores; which thread runs which part is left to
// chance, so no part may depend on another. `done` is called before the first begins, with 0, and as each ends, one
// call at a time. Where a part throws, no new one is begun, and what the first threw is thrown here.
void in_parallel(std::size_t parts, const std::function<void(std::size_t part)>& part,
                 const std::function<void(std::size_t done, std::size_t parts)>& done);

}  // namespace byhand::lab
