// The network as four lists of steps, one named value at a time, easy to read and to trace faults in.
#pragma once

#include "base/model.h"
#include "manual/operation.h"
#include "steps/step.h"

namespace byhand {

// A network built from the operations of `hand`. Throws InputError where check_network does, and if one of the
// network's operations is not among them.
Graph hand_graph(HandForm form, const NetworkConfig& config, std::size_t rows,
                 const HandOperations& hand = hand_operations());

// The same for a part of a batch. Each step that sums over the rows computes the part's share: the shares of all parts
// add up to the value, which the steps after it read (modules/ranks/parts.h).
Graph hand_graph(HandForm form, const NetworkConfig& config, const BatchPart& part,
                 const HandOperations& hand = hand_operations());

// Every named value and gradient, each by one small function (note 1; part 4 of the makemore lectures).
Graph stepwise_graph(const NetworkConfig& config, std::size_t rows);

// The same network with two formulas collapsed: from logits to loss and back in one, and the backward of batch norm in
// one line (note 5).
Graph collapsed_graph(const NetworkConfig& config, std::size_t rows);

// The same with the formulas of the fused network (fused.h), without its kernels: collapsed as well, and the norm's
// backward reads dbngain and dbnbias.
Graph fused_graph(const NetworkConfig& config, std::size_t rows);

// Only the forward pass in evaluation mode, from X to the logits: the norms use their running statistics.
Graph evaluation_graph(const NetworkConfig& config, std::size_t rows, const HandOperations& hand = hand_operations());

}  // namespace byhand
