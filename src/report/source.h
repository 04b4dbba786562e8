// Where a function of src/manual is defined, and the formula above it.
#pragma once

#include <functional>
#include <string>

namespace byhand {

struct SourceLine {
    std::string place;    // "src/manual/batchnorm/formulas.h:124"
    std::string formula;  // "dbnmeani[j] = −Σ_i dbndiff[i, j]"
};

// Empty where the function is not known.
using SourceOf = std::function<SourceLine(const std::string& function)>;

}  // namespace byhand
