// A strict JSON reader for external files.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"

namespace byhand {

inline constexpr std::size_t kDeepestJson = 32;
inline constexpr std::size_t kMostJsonValues = 1'000'000;  // that bounds the memory of a text of many megabytes

// The value of `text`. Throws InputError, in one line that begins with `where`: for text that is not JSON (with line
// and column), a duplicate key in one object, a number outside the range of double (both with the path of the key),
// more than kDeepestJson nested arrays or objects, and more than kMostJsonValues values.
Json strict_json(const std::string& text, const std::string& where);

// A path extended by a key or by an index: "network" and "norm" make "network.norm", "rules" and 2 make "rules[2]".
std::string path_to(const std::string& path, const std::string& key);
std::string path_to(const std::string& path, std::size_t index);

// Throws InputError: "WHERE: PATH: what", or "WHERE: what" if the path is empty.
[[noreturn]] void refuse(const std::string& where, const std::string& path, const std::string& what);

}  // namespace byhand
