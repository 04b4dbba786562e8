// Batch norm as the field defines it: the same name, and not the same numbers.
#pragma once

#include <string>
#include <vector>

#include "base/network.h"

namespace byhand::lab {

struct Convention {
    std::string name;
    NormConfig norm;                   // its momentum is the weight of the new, whatever the convention calls momentum
    double first_spread = 1;           // the running figure of spread before the first batch; the mean's is 0
    std::string momentum_says;         // the momentum in its own words
    std::vector<std::string> sources;  // pages and files that say so
};

// PyTorch's is the first: the others are measured against it.
std::vector<Convention> conventions_of_the_field();

}  // namespace byhand::lab
