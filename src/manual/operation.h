// A handwritten operation of the network as a list of steps. Each has a folder with its formulas and its steps.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/value.h"
#include "steps/glossary.h"
#include "steps/step.h"

namespace byhand {

// An operation at its place in a network, to which its steps are appended.
struct Site {
    const NetworkConfig& network;
    Operation operation;  // in evaluation after training its input and output carry eval_
    // B times the positions of the operation's result, in a part of the batch: its rows, those of the whole batch, and
    // those before it. Means divide by batch_rows, a size of the step. As an operand it would be a value that reports
    // and everybody's exercise functions read; dividing once the parts are added changes bits (of the loss in 43 % of
    // 20,000 draws, 33 rows in 3 parts).
    std::size_t rows = 0, batch_rows = 0, first_row = 0;
    HandForm form = HandForm::stepwise;

    const std::string& x() const { return operation.input; }
    const std::string& y() const { return operation.output; }
    std::string dx() const { return gradient_of(operation.input); }
    std::string dy() const { return gradient_of(operation.output); }
    // Any other value of its layer: value("bnvar") is "bnvar" or "bnvar.2".
    std::string value(const std::string& name) const { return operation.layer.value(name); }
    // The same for an intermediate value of the operation, which in evaluation after training carries eval_ too.
    std::string made(const std::string& name) const {
        return value_of(y()).kind == ValueKind::evaluated ? evaluation_of(value(name)) : value(name);
    }
    bool is_part() const { return rows != batch_rows; }
    // (rows, outputs) of its layer.
    Shape wide() const { return {rows, operation.layer.outputs}; }
};

using AppendSteps = void (*)(StepList& steps, const Site& at);
using ValueRanges = std::map<std::string, ValueRange>;
using Kinks = std::map<std::string, Kink>;

struct HandOperation {
    std::string op;
    AppendSteps forward;               // from its input to its output
    AppendSteps backward;              // from the gradient of the output to those of parameters and input
    AppendSteps evaluation = forward;  // in evaluation mode; `forward` if it is the same
    AppendSteps update = nullptr;      // new_X of its state for evaluation
    // Adds the ranges of its restricted values.
    void (*ranges)(ValueRanges& ranges, const Site& at) = nullptr;
    // Adds the values at which a derivative is discontinuous.
    void (*kinks)(Kinks& kinks, const Site& at) = nullptr;
    // The glossary rows of its values.
    GlossaryRows glossary = {};
};
using HandOperations = std::vector<HandOperation>;

// All of them, sorted by name: each `extern HandOperation x_operation()` in the steps.cpp of a folder here
// (cmake/operations.awk).
const HandOperations& hand_operations();

// The names of those that a network's `layers` can list, and of the activations among them.
std::vector<std::string> listed_operations();
std::vector<std::string> activations();

// Throws InputError for an unknown name.
const HandOperation& find_operation(const HandOperations& all, const std::string& op);

// ---- The operations' descriptions of their values ----

// The rows of the network's operations, of its optimizer, and of values that no operation computes: the batch and the
// rate. A value between two operations is described by the one that reads it: hprebn by a norm, hpreact by tanh, h by a
// linear, logits by the loss.
Glossary glossary_of(const NetworkConfig& config, const HandOperations& hand = hand_operations());

// Rules that operations share.
inline constexpr std::string_view kLeftFactor =
    "In a matrix product, the left factor's gradient is the result's gradient times the transposed right factor: no "
    "other order fits the shapes.";
inline constexpr std::string_view kAddedToEveryRow =
    "It was added to every row: a broadcast in the forward pass is a sum in the backward pass, over the rows.";
inline constexpr std::string_view kMultipliedIntoEveryRow =
    "One number per unit multiplied all rows: a sum in the backward pass, over the rows.";
inline constexpr std::string_view kMultipliedIntoEveryUnit =
    "One number per row multiplied all its units: a sum in the backward pass, over the units.";

}  // namespace byhand
