// The word that somebody probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// Of `known` the one nearest to `word`: by the fewest letters put in, taken out, replaced, or swapped with their
// neighbour; the first of several. Precondition: `known` is not empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// The nearest where it is near enough to be what was meant: at most a third of the letters of `word` differ, but for
// their case.
std::optional<std::string> close_to(std::string_view word, const std::vector<std::string>& known);

// The same as the end of a message: "; the nearest is dbnvar", or "" where nothing is near enough.
std::string the_nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace byhand
