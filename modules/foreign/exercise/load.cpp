#include <dlfcn.h>

#include <algorithm>
#include <cfenv>

#include "base/error.h"
#include "foreign/exercise/functions.h"

namespace byhand::exercise {
namespace {

// dlerror's text on one line.
std::string why() {
    const char* text = dlerror();  // NOLINT(concurrency-mt-unsafe): one thread
    std::string line = text != nullptr ? text : "no reason given";
    std::ranges::replace(line, '\n', ' ');
    return line;
}

}  // namespace

ExternalFunctions load(const std::string& path, const std::string& source) {
    const std::string& called = source.empty() ? path : source;
    // With a slash, so that it is not searched for in the system's folders.
    const std::string place = path.find('/') == std::string::npos ? "./" + path : path;
    // Some libraries switch flush-to-zero on when they are loaded, which affects all later arithmetic.
    std::fenv_t environment;
    std::fegetenv(&environment);
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw InputError(called + " can't be opened as a library (" + why() + ")");
    }
    void* symbol = dlsym(library, "byhand_steps");
    if (symbol == nullptr) {
        throw InputError(called +
                         " has no function byhand_steps, which registers its functions: see docs/your-kernel.md");
    }
    const void* interface = dlsym(library, "byhand_steps_interface");
    if (interface == nullptr || *static_cast<const int*>(interface) != byhand_steps_interface) {
        throw InputError(called + " was built with the headers of another byhand; build it again");
    }
    ExternalFunctions functions = functions_of(reinterpret_cast<void (*)(Steps&)>(symbol));
    std::fesetenv(&environment);
    if (functions.empty()) {
        throw InputError(called + ": byhand_steps adds no function of float");
    }
    for (const ExternalFunction& function : functions) {
        const bool is_alone = std::ranges::count(functions, function.label(), &ExternalFunction::label) == 1;
        if (function.in_float.call == nullptr && is_alone) {  // otherwise override_steps refuses it as a second one
            throw InputError(called + ": byhand_steps adds " + function.label() +
                             " in double alone; add it in float as well");
        }
    }
    return functions;
}

}  // namespace byhand::exercise
