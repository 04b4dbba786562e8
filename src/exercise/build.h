// A file of somebody's own functions, made into a library.
#pragma once

#include <string>

#include "base/process.h"

namespace byhand::exercise {

struct BuildConfig {
    std::string headers;     // the folder of "exercise/steps.h"
    std::string flags = {};  // options for the compiler, with spaces between; NOLINT(readability-redundant-member-init)
    bool sanitize = false;   // with AddressSanitizer and UndefinedBehaviorSanitizer, and lines for both to name
    GoesOn goes_on = {};     // of the compiler; NOLINT(readability-redundant-member-init)
};

// Compiles `file` to `library`, with the compiler that byhand was built by (or CXX) then the options of CXXFLAGS, and
// last the config's own. What the compiler says goes to stderr. Throws InputError where the file is not there, where
// there is no compiler, or where the file does not compile.
void build(const std::string& file, const std::string& library, const BuildConfig& config);

// The run-time library of AddressSanitizer: it has to be there before all others (LD_PRELOAD). Throws InputError where
// the compiler has none.
std::string address_sanitizer();

}  // namespace byhand::exercise
