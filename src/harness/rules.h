// By which rule each gradient follows from what it reads: more than its name, less than its formula.
#pragma once

#include <string>

namespace byhand {

// "e^x is its own derivative." `name` is a gradient's, as dcounts or dh.2; `in_one` asks for the formulas in one
// (dlogits, dhprebn). Empty where there is none.
std::string rule(const std::string& name, bool in_one = false);

}  // namespace byhand
