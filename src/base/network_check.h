// Functions on lists of operations shared by network.cpp and network_check.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/network.h"

namespace byhand {

// Whether it is one of op::kNorms.
bool is_norm(const std::string& operation);

// The name of the value that an operation reads: "hprebn" for a batch norm.
std::string read_as(const std::string& operation);

// Throws InputError("layers[2]: …") as with_layers does. The list contains the widths, as from expanded().
void check_layers(const std::vector<OperationConfig>& list);

}  // namespace byhand
