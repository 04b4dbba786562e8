// The network as four lists of steps, one named value at a time: to read, and to blame.
#pragma once

#include "steps/step.h"

namespace byhand {

// Every named value and gradient, each by one small function (note 1; part 4 of the makemore lectures). T is float,
// double or Rounded (steps/rounded.h). Throws InputError where check_network does.
template <class T>
StepNetwork<T> stepwise_network(const NetworkConfig& config, std::size_t rows);

// The same network with two formulas collapsed: logits to loss and back in one, and the backward of batch norm in one
// line (note 5).
template <class T>
StepNetwork<T> collapsed_network(const NetworkConfig& config, std::size_t rows);

// The same by the formulas of the fused network (fused.h), without its kernels: collapsed as well, and the norm's
// backward goes by dbngain and dbnbias.
template <class T>
StepNetwork<T> fused_network(const NetworkConfig& config, std::size_t rows);

// The forward pass in evaluation mode alone, from X to the logits: the norms go by their running figures.
template <class T>
StepNetwork<T> evaluation_network(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand
