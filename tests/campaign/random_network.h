// A network of operations drawn at random, and its optimizer.
#pragma once

#include <random>

#include "base/network.h"

namespace byhand {

// 1 to 9 hidden layers of odd widths from 1 to 31 of any operations that `layers` can list, in any order that it takes:
// norms with and without γ and β, activations, flattens, residual connections, dropout, a tied output. The vocabulary,
// the context and the embedding are drawn too. The optimizer is plain SGD in half of the cases, else SGD with momentum
// (Nesterov's or not), weight decay or both, or AdamW. The same on every machine for the same state of the generator.
NetworkConfig random_network(std::mt19937_64& generator);

}  // namespace byhand
