// What network.cpp and network_check.cpp ask of each other about lists of operations.
#pragma once

#include <string>
#include <vector>

#include "base/network.h"

namespace byhand {

// Whether it is one of op::kNorms.
bool is_norm(const std::string& operation);

// What the value is called that an operation reads: "hprebn" of a batch norm.
std::string read_as(const std::string& operation);

// Throws InputError("layers[2]: …") as with_layers does. The list has the widths, as expanded() gives them.
void check_layers(const std::vector<OperationConfig>& list);

}  // namespace byhand
