// The operations' descriptions of their values. A value between two operations is described by the one that reads it:
// hprebn by a norm, hpreact by tanh, h by a linear, logits by the loss.
#pragma once

#include "manual/operation.h"
#include "steps/glossary.h"

namespace byhand {

// The rows of the network's operations, of its optimizer, and of values that no operation computes: the batch and the
// rate.
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
