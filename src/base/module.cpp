#include "base/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;

struct ModulePath {
    fs::path path;
    bool exists = false;
};

// Beside the program in a build folder, one level above bin/ if installed.
ModulePath place_of(const ModuleToOpen& module) {
    const fs::path inside = fs::path("lib/byhand") / module.file;
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = program.parent_path();
    for (const fs::path& path : {folder / inside, folder.parent_path() / inside}) {
        if (!error && fs::exists(path, error)) {
            return {path, true};
        }
    }
    return {(folder.filename() == "bin" ? folder.parent_path() : folder) / inside, false};
}

// dlerror's text on one line.
std::string why() {
    const char* text = dlerror();
    std::string line = text != nullptr ? text : "no reason given";
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

}  // namespace

bool has_module(const ModuleToOpen& module) {
    return place_of(module).exists;
}

void* open_module(const ModuleToOpen& module) {
    const auto [path, exists] = place_of(module);
    if (!exists) {
        throw InputError(module.what + " is not at " + path.string() + ": install the package " + module.package +
                         ", or configure with " + module.build + " and build again");
    }
    void* const opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const symbol = opened != nullptr ? dlsym(opened, module.symbol.c_str()) : nullptr;
    if (symbol == nullptr) {
        throw InputError(
            module.what + " can't be loaded (" + why() +
            "): check that its libraries are installed as they were when byhand was built, or build byhand again");
    }
    return symbol;
}

}  // namespace byhand
