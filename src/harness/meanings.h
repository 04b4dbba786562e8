// What each value is, in a line.
#pragma once

#include <string>

namespace byhand {

// "the variance of each unit over the batch"; of a gradient "how the loss changes with bnvar: the variance of each unit
// over the batch". The name may carry d, new_, eval_ and a layer's ".3" or, of weights and biases, its number. Empty
// for a name that no network has.
std::string meaning(const std::string& name);

}  // namespace byhand
