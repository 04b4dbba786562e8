// Help in steps for who writes a gradient himself.
#pragma once

#include <string>

#include "base/network.h"

namespace byhand::cli {

// "dbnvar" tells what it is and what it reads, "dbnvar:2" the rule as well, "dbnvar:3" the formula too;
// "dlogits_in_one:2" the same of a formula in one. Throws InputError for a name that is no gradient of the network of
// `rows` rows (with the nearest), and for another number.
std::string hint(const std::string& asked, const NetworkConfig& network, std::size_t rows);

}  // namespace byhand::cli
