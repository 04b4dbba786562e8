// What there is to say of a network's values. Each operation brings a row for each value of its own; explain, the words
// of reports, hints and the walkthrough read these rows.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// What an index counts.
enum class Axis {
    row,        // of the batch
    position,   // of the context
    dimension,  // of the embedding
    input,      // what the layer reads: units, or in the first layer position and dimension
    embedded,   // the embedding's characters
    unit,       // the layer's, which in the output are characters
    character,  // those that may come next
};

struct GlossaryRow {
    std::string_view value;    // its name without a layer: "bnvar", "W"
    std::vector<Axis> axes;    // with a unit, each layer may have such a value
    std::string_view meaning;  // "the variance of each unit over the batch"
    // What there is none of is left out.
    // NOLINTBEGIN(readability-redundant-string-init)
    std::string_view symbol = "";     // the notes' own; where it is the name, the layer's number belongs to it
    std::string_view rule = "";       // by which its gradient follows from what that reads
    std::string_view collapsed = "";  // the same, where one formula makes it in several steps' place
    // NOLINTEND(readability-redundant-string-init)
    bool zero_gradient = false;  // in exact arithmetic, whatever the network
    bool is_role = false;        // of what an optimizer keeps or makes of a parameter: "exp_avg" of exp_avg_W1
};

using GlossaryRows = std::span<const GlossaryRow>;

// What the operations of a network say of their values, in order. The rows live as long as the program does.
struct OperationRows {
    std::size_t layer = 0;  // the operation's own; 0 of the embedding
    GlossaryRows rows;
};
using Glossary = std::vector<OperationRows>;

// In what follows a name may carry d, new_, eval_ and a layer's ".3" or, of weights and biases, its number. Of a name
// that has no row all is empty.

// The row of the value that the name is of, or null: where operations differ on it, that of its layer's; of what an
// optimizer keeps or makes of a parameter (exp_avg_W1), that of its role (exp_avg).
const GlossaryRow* find_row(const Glossary& glossary, const std::string& name);

// "the variance of each unit over the batch"; of a gradient "how the loss changes with bnvar: the variance of each unit
// over the batch".
std::string meaning(const Glossary& glossary, const std::string& name);

// "e^x is its own derivative.": more than a gradient's name, less than its formula. `in_one` asks for the formulas in
// one (dlogits, dhprebn). Empty but for gradients.
std::string rule(const Glossary& glossary, const std::string& name, bool in_one = false);

// "H0" of hprebn, "dL/dH0" of dhprebn; "W1" and "b1" are called the same. Empty where the notes have no symbol.
std::string symbol(const Glossary& glossary, const std::string& name);

}  // namespace byhand
