// The notes' own symbols.
#pragma once

#include <string>

namespace byhand::lab {

// "H0" of hprebn, "dL/dH0" of dhprebn; "W1" and "b1" are called the same. The name may carry a layer's ".3". Empty
// where note 1 has no symbol.
std::string symbol_of(const std::string& name);

}  // namespace byhand::lab
