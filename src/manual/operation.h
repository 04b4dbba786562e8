// An operation of the network by hand: which steps it consists of. Each has a folder with its formulas and its steps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/hand_form.h"
#include "base/network.h"
#include "base/value.h"
#include "steps/step.h"

namespace byhand {

// An operation in its network, where its steps are wanted.
struct Site {
    const NetworkConfig& network;
    Operation operation;   // in evaluation its input and output carry eval_, where the list is one beside training
    std::size_t rows = 0;  // B times the positions of what the operation makes
    HandForm form = HandForm::stepwise;

    const std::string& x() const { return operation.input; }
    const std::string& y() const { return operation.output; }
    std::string dx() const { return gradient_of(operation.input); }
    std::string dy() const { return gradient_of(operation.output); }
    // Any other value of its layer: value("bnvar") is "bnvar" or "bnvar.2".
    std::string value(const std::string& name) const { return operation.layer.value(name); }
    // The same of a value that the operation makes on its way, which in evaluation beside training carries eval_ too.
    std::string made(const std::string& name) const {
        return value_of(y()).kind == Kind::evaluated ? evaluation_of(value(name)) : value(name);
    }
    // (rows, outputs) and (outputs) of its layer.
    Shape wide() const { return {rows, operation.layer.outputs}; }
    Shape narrow() const { return {operation.layer.outputs}; }
};

using AppendSteps = void (*)(StepList& steps, const Site& at);
using ValueRanges = std::map<std::string, ValueRange>;
using Kinks = std::map<std::string, Kink>;

struct HandOperation {
    std::string op;
    AppendSteps forward;               // from its input to its output
    AppendSteps backward;              // from the gradient of the output to those of parameters and input
    AppendSteps evaluation = forward;  // in evaluation mode; `forward` where that makes no difference
    AppendSteps update = nullptr;      // new_X of what it keeps for evaluation
    // Adds the ranges of its values that are not just any numbers.
    void (*ranges)(ValueRanges& ranges, const Site& at) = nullptr;
    // Adds the values where a derivative jumps.
    void (*kinks)(Kinks& kinks, const Site& at) = nullptr;
    // What there is to say of its values.
    GlossaryRows glossary = {};  // NOLINT(readability-redundant-member-init): it may be left out
};
using HandOperations = std::vector<HandOperation>;

// Each in the steps.cpp of its folder.
HandOperation embedding_operation();
HandOperation flatten_operation();
HandOperation linear_operation();
HandOperation batchnorm_operation();
HandOperation layernorm_operation();
HandOperation rmsnorm_operation();
HandOperation tanh_operation();
HandOperation sigmoid_operation();
HandOperation relu_operation();
HandOperation leaky_relu_operation();
HandOperation gelu_operation();
HandOperation gelu_tanh_operation();
HandOperation silu_operation();
HandOperation residual_operation();
HandOperation dropout_operation();
HandOperation cross_entropy_operation();

// All of them.
const HandOperations& hand_operations();

// Throws InputError where none of them has that name.
const HandOperation& find_operation(const HandOperations& all, const std::string& op);

}  // namespace byhand
