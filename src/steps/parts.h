// A graph whose batch is in parts: what of a step's result each part has.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/batch.h"
#include "steps/step.h"

namespace byhand {

// Makes the graph of a part.
using MakePart = std::function<Graph(const BatchPart& part)>;

// Sets the sum `name` from the shares of all parts, in order, which it may use up.
using AddShares =
    std::function<void(const std::string& name, std::span<float> sum, std::span<const std::span<float>> shares)>;

// Whether a value, X or Y has a row for each row of the batch. Throws std::logic_error for a name that is not in the
// glossary.
bool has_rows(const Glossary& glossary, const std::string& name);

// What a part computes of a step.
enum class InParts {
    rows,    // its rows of the result
    sum,     // its share of the result, which is a sum over the rows
    shared,  // nothing: the result follows from values without rows
};
InParts in_parts(const Glossary& glossary, const Step& step);

// The network of the whole batch, each step computed in parts, whose shares are added as add_pairwise does. `graphs`
// are those of the parts, in order, with the same steps as `whole`. Functions are called "f in 8 parts".
Graph joined(Graph whole, const std::vector<BatchPart>& parts, const std::vector<Graph>& graphs);

}  // namespace byhand
