// Reports of sanitizers on functions that ran in a subprocess.
#pragma once

#include <functional>
#include <string>

namespace byhand::exercise {

// The value of the sanitizers' option log_path for a library: they add ".PID".
std::string sanitizer_log(const std::string& library);

// Returns a function that takes the reports written since the last call, hands the first one of all to `print`, and
// returns ": heap-buffer-overflow at mine.cpp:42", the first line of `source` that the report names; "" without one.
std::function<std::string()> sanitizer_reports(const std::string& library, const std::string& source,
                                               const std::function<void(const std::string&)>& print);

}  // namespace byhand::exercise
