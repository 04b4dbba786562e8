// The operations' own comments and where they stand, read from their headers when the program is built.
#pragma once

#include <span>

namespace byhand {

struct Formula {
    const char* function;
    const char* operation;  // its folder: "tanh"; empty where it stands in none
    const char* file;       // "src/manual/tanh/formulas.h"
    int line;
    const char* text;  // the comment above it: "h = tanh(x)"
};

std::span<const Formula> formulas();

}  // namespace byhand
