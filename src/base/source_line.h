// Where a function is defined, what it computes, and what it should.
#pragma once

#include <functional>
#include <string>

namespace byhand {

struct SourceLine {
    std::string place;            // "src/manual/batchnorm/formulas.h:124"
    std::string formula;          // "dbnmeani[j] = −Σ_i dbndiff[i, j]"
    std::string derivation = {};  // "docs/backprop.md#dbnmeani", of a gradient
    std::string code = {};        // of an external function: its lines that write the result
};

// Empty where the function is not known.
using SourceOf = std::function<SourceLine(const std::string& function)>;

}  // namespace byhand
