// Spelling suggestions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// The elements of `known` that are near enough to `word` for a suggestion, three at most, the nearest first, apart from
// case: those that begin with it, or it with them; if there are none, those that differ by the fewest insertions,
// deletions, replacements and swaps of adjacent letters, if these are at most a third of the letters of `word`; if
// there are none, those that contain it, or its letters in their order and at most as many others.
std::vector<std::string> all_close_to(std::string_view word, const std::vector<std::string>& known);

// The same as the end of a message: "; the nearest is dbnvar", "; the nearest are dW1 and dW2", or "" if no word is
// near enough.
std::string the_nearest(std::string_view word, const std::vector<std::string>& known);

// ---- Words in a sentence ----

// "a", "a and b", "a, b and c", with `conjunction` before the last.
std::string listed(const std::vector<std::string>& words, const std::string& conjunction);

}  // namespace byhand
