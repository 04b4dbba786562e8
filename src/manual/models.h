// The hand-written networks, ready to be trained or compared.
#pragma once

#include <memory>
#include <string>

#include "base/implementation.h"
#include "base/model.h"
#include "manual/operation.h"
#include "steps/step.h"

namespace byhand {

// By its name: "stepwise", "collapsed", "fused". Throws std::invalid_argument for any other.
HandForm hand_form(const std::string& name);

// To train, in float; the fused form on so many threads, which do not change what it computes, or step by step with the
// kernels that its steps have, where it knows one of the operations by its steps alone (has_fused_step). Throws
// InputError where check_network does. Precondition: threads > 0.
std::unique_ptr<Model> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                       std::size_t threads = 1);

// As many threads as make a fused step of this network faster: all that the machine has, or one.
std::size_t threads_that_pay(const NetworkConfig& config, std::size_t rows);

// To train, whatever the lists are: with somebody's own functions in them, say.
std::unique_ptr<Model> make_step_model(Graph graph);

// To compare, in float or double; fused only in float. Throws as above.
std::unique_ptr<Implementation> make_hand_implementation(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                         DType dtype);

// To compare, whatever the lists are: with a mistake planted in them, say.
std::unique_ptr<Implementation> make_step_implementation(Graph graph);

}  // namespace byhand
