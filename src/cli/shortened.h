// Messages that hold what a file may have at any length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace byhand::cli {

// Made printable; of more than `longest` bytes the middle is left out ("…"), since the beginning says what it is about
// and the end what to do. No character is cut through. Precondition: `longest` is at least 20.
std::string shortened(std::string_view message, std::size_t longest);

}  // namespace byhand::cli
