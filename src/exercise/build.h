// A file of external functions, made into a library.
#pragma once

#include <string>

#include "base/process.h"

namespace byhand::exercise {

// address: with UndefinedBehaviorSanitizer as well. Both name the line of a fault.
enum class Sanitizer { none, address, thread };

struct BuildConfig {
    std::string headers;     // the folder of "exercise/steps.h"
    std::string flags = {};  // options for the compiler, with spaces between; NOLINT(readability-redundant-member-init)
    Sanitizer sanitizer = Sanitizer::none;
    GoesOn goes_on = {};  // of the compiler; NOLINT(readability-redundant-member-init)
};

// Compiles `file` to `library`, with the compiler that byhand was built by (or CXX) then the options of CXXFLAGS, and
// last the config's own. What the compiler says goes to stderr. Throws InputError where the file is not there, where
// there is no compiler, or where the file does not compile.
void build(const std::string& file, const std::string& library, const BuildConfig& config);

// The run-time library of a sanitizer, which must be loaded before all others (LD_PRELOAD). Throws InputError where the
// compiler has none.
std::string run_time_of(Sanitizer sanitizer);

}  // namespace byhand::exercise
