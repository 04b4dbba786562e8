// The word that somebody probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// Of `known` the one nearest to `word` by Levenshtein's distance (the fewest letters put in, taken out or exchanged),
// the first of several. Precondition: `known` is not empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace byhand
