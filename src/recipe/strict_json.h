// A strict reader for JSON from outside.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"

namespace byhand {

inline constexpr std::size_t kDeepestJson = 32;

// The value that `text` holds. Throws InputError, in one line that begins with `where`: for text that is not JSON (with
// line and column), a key that stands twice in one object, a number that no double holds (both with the path of the
// key), and more than kDeepestJson arrays or objects one in another.
Json strict_json(const std::string& text, const std::string& where);

// A path grown by a key or by an index: "network" and "norm" make "network.norm", "rules" and 2 make "rules[2]".
std::string path_to(const std::string& path, const std::string& key);
std::string path_to(const std::string& path, std::size_t index);

// Throws InputError: "WHERE: PATH: what", or "WHERE: what" where the path is empty.
[[noreturn]] void refuse(const std::string& where, const std::string& path, const std::string& what);

}  // namespace byhand
