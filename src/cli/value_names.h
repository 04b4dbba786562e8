// Names for completion in shells.
#pragma once

#include <string>
#include <vector>

namespace byhand::cli {

// Of the values of the default network, step by step and collapsed.
std::vector<std::string> value_names();
// Of the mistakes that can be planted.
std::vector<std::string> mistake_names();

}  // namespace byhand::cli
