// The smallest input that shows a mistake, for tests of one's own: as C++, and as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/isolated/shrink.h"

namespace byhand {
class Json;
}  // namespace byhand

namespace byhand::report {

// "const float logits[1][3] = {{-1, -2, -3}};  // dlogits[0][1] 0, expected 0.25": a definition of each value
// that the step reads, after a line that names the network's size. Numbers are those that were read, to the bit.
std::vector<std::string> as_code(const SmallestInput& input);

// Whether people can take it in: at most 8 numbers, or one row in a few lines.
bool is_small(const SmallestInput& input);

Json json_of(const SmallestInput& input);

}  // namespace byhand::report
