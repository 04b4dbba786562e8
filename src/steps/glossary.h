// Descriptions of a network's values. Each operation supplies a row for each of its values; explain, element names in
// reports and hints read these rows.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// What an axis enumerates.
enum class Axis {
    row,        // of the batch
    position,   // of the context
    dimension,  // of the embedding
    input,      // the layer's inputs: units, or in the first layer position and dimension
    embedded,   // the embedding's characters
    unit,       // of the layer; in the output, characters
    character,  // of the vocabulary, as the next one
};

struct GlossaryRow {
    std::string_view value;    // its name without a layer: "bnvar", "W"
    std::vector<Axis> axes;    // if they contain a unit, each layer may have such a value
    std::string_view meaning;  // "the variance of each unit over the batch"
    // Fields that do not apply are empty.
    // NOLINTBEGIN(readability-redundant-string-init)
    std::string_view symbol = "";     // in the notes; if it equals the name, it carries the layer's number
    std::string_view rule = "";       // how its gradient follows from those of the values that read it
    std::string_view collapsed = "";  // the same where one formula replaces several steps
    // NOLINTEND(readability-redundant-string-init)
    bool zero_gradient = false;  // zero in exact arithmetic, for any network
    // An optimizer's state or intermediate result for a parameter: "exp_avg" for exp_avg_W1.
    bool is_role = false;
};

using GlossaryRows = std::span<const GlossaryRow>;

// The rows of a network's operations, in order. They live as long as the program.
struct OperationRows {
    std::size_t layer = 0;  // the operation's layer; 0 for the embedding
    GlossaryRows rows;
};
using Glossary = std::vector<OperationRows>;

// In the functions below a name may carry d, new_, eval_ and a layer's ".3" or, for weights and biases, its number. For
// a name without a row they return empty results.

// The row of the value that the name refers to, or null. If operations differ on it, the row of its layer's operation;
// for an optimizer's tensor of a parameter (exp_avg_W1), the row of its role (exp_avg).
const GlossaryRow* find_row(const Glossary& glossary, const std::string& name);

// "the variance of each unit over the batch"; for a gradient "how the loss changes with bnvar: the variance of each
// unit over the batch".
std::string meaning(const Glossary& glossary, const std::string& name);

// "e^x is its own derivative.": the rule behind a gradient, without its full formula. `in_one` selects the rules of the
// collapsed formulas (dlogits, dhprebn). Empty except for gradients.
std::string rule(const Glossary& glossary, const std::string& name, bool in_one = false);

// "H0" for hprebn, "dL/dH0" for dhprebn; "W1" and "b1" have the same name in the notes. Empty if the notes have no
// symbol.
std::string symbol(const Glossary& glossary, const std::string& name);

}  // namespace byhand
