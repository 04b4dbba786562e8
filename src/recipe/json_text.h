// JSON for the eye. Not for other rooms: it names nlohmann's types.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace byhand {

// The value as JSON without a newline at its end: the outermost object a key a line, and within it whatever fits in 100
// columns on one line, the rest opened up by two columns a level. Doubles in the fewest digits that keep their value.
std::string readable_text(const nlohmann::ordered_json& value);

}  // namespace byhand
