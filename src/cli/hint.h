// Hints for writing a gradient, in three levels.
#pragma once

#include <string>

#include "base/network.h"

namespace byhand::cli {

// For "dbnvar" its meaning and what it reads; for "dbnvar:2" also the rule, for "dbnvar:3" also the formula;
// "dlogits_in_one:2" is the same for a fused formula. Throws InputError for a name that is not a gradient of the
// network with `rows` rows (and suggests the nearest), and for another level.
std::string hint(const std::string& asked, const NetworkConfig& network, std::size_t rows);

}  // namespace byhand::cli
