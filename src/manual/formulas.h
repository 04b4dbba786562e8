// The operations' own comments and their locations, extracted from their headers at build time.
#pragma once

#include <span>
#include <string>

#include "base/source_line.h"

namespace byhand {

struct Formula {
    const char* function;
    const char* operation;  // its folder: "tanh"; empty for a header outside an operation's folder
    const char* file;       // "src/manual/tanh/formulas.h"
    int line;
    const char* text;  // the comment above it: "h = tanh(x)"
};

std::span<const Formula> formulas();

// The place of a function in the source, and its formula, for reports. Empty if no header of src/manual has it.
SourceLine source_of(const std::string& function);

}  // namespace byhand
