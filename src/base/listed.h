// Words in a sentence.
#pragma once

#include <string>
#include <vector>

namespace byhand {

// "a", "a and b", "a, b and c", with `conjunction` before the last.
std::string listed(const std::vector<std::string>& words, const std::string& conjunction);

}  // namespace byhand
