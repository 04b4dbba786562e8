// Compiles a file of external functions into a library.
#pragma once

#include <functional>
#include <string>

#include "base/process.h"

namespace byhand::exercise {

// address: also with UndefinedBehaviorSanitizer. Both report the line of a fault.
enum class Sanitizer { none, address, thread };

struct BuildConfig {
    std::string headers;     // the folder of "exercise/steps.h"
    std::string flags = {};  // options for the compiler, with spaces between
    Sanitizer sanitizer = Sanitizer::none;
    GoesOn goes_on = {};  // of the compiler
};

// Compiles `file` to `library`, with the compiler that byhand was built with (or CXX), then the options in CXXFLAGS,
// and last the config's own. The compiler's output goes to stderr. Throws InputError if the file does not exist, if
// there is no compiler, or if the file does not compile.
void build(const std::string& file, const std::string& library, const BuildConfig& config);

// The run-time library of a sanitizer, which must be loaded before all others (LD_PRELOAD). Throws InputError if the
// compiler has none.
std::string run_time_of(Sanitizer sanitizer);

// ---- Reports of sanitizers on functions that ran in a subprocess ----

// The value of the sanitizers' option log_path for a library: they add ".PID".
std::string sanitizer_log(const std::string& library);

// Returns a function that takes the reports written since the last call, hands the first one of all to `print`, and
// returns ": heap-buffer-overflow at mine.cpp:42", the first line of `source` that the report names; "" without one.
std::function<std::string()> sanitizer_reports(const std::string& library, const std::string& source,
                                               const std::function<void(const std::string&)>& print);

}  // namespace byhand::exercise
