// JSON as tests read, compare and print it.
#pragma once

#include <iosfwd>
#include <string>

#include "base/json.h"

namespace text {

byhand::Json parsed_json(const std::string& text);  // throws InputError for text that is not strict JSON

// The changes that turn `from` into `to`: an RFC 6902 patch.
byhand::Json diff(const byhand::Json& from, const byhand::Json& to);

}  // namespace text

namespace byhand {

// For Catch2's messages.
std::ostream& operator<<(std::ostream& stream, const Json& value);

}  // namespace byhand
