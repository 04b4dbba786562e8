// Spelling suggestions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// The element of `known` nearest to `word`: with the fewest insertions, deletions, replacements and swaps of adjacent
// letters; the first of several. Precondition: `known` is not empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// The nearest if it is near enough for a suggestion: at most a third of the letters of `word` differ, apart from case.
std::optional<std::string> close_to(std::string_view word, const std::vector<std::string>& known);

// The same as the end of a message: "; the nearest is dbnvar", or "" if no word is near enough.
std::string the_nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace byhand
