// Modules: shared libraries beside the program that are loaded when they are needed.
#pragma once

#include <string>

namespace byhand {

struct ModuleToOpen {
    std::string file, symbol;
    std::string what;            // "the LibTorch module", for messages
    std::string package, build;  // the package that has it, and the options to build it with
};

// Whether lib/byhand/FILE is in the program's folder or the one above.
bool has_module(const ModuleToOpen& module);

// Loads lib/byhand/FILE in the program's folder or the one above, which stays loaded, and returns the symbol's address.
// Throws InputError if it is missing or can't be loaded.
void* open_module(const ModuleToOpen& module);

}  // namespace byhand
