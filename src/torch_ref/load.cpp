#include "torch_ref/load.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/error.h"

namespace byhand::torch_ref {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "lib/byhand/byhand_torch_ref.so";

// Beside the program in a build folder, one level above bin/ if installed.
fs::path find_module() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = program.parent_path();
    for (const fs::path& path : {folder / kModule, folder.parent_path() / kModule}) {
        if (!error && fs::exists(path, error)) {
            return path;
        }
    }
    const fs::path expected = (folder.filename() == "bin" ? folder.parent_path() : folder) / kModule;
    throw InputError("the LibTorch module is not at " + expected.string() +
                     ": install the package byhand-torch, or configure with -DBYHAND_WITH_TORCH=ON and build again");
}

// dlerror's text on one line.
std::string why() {
    const char* text = dlerror();
    std::string line = text != nullptr ? text : "no reason given";
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

void set_if_said(const char* name, const std::optional<std::string>& value) {
    if (value && value->empty()) {
        unsetenv(name);
    } else if (value) {
        setenv(name, value->c_str(), /*overwrite=*/1);
    }
}

// OpenBLAS, OpenMP and LibTorch read these once, when they are loaded.
void set_environment(const Opening& opening) {
    const std::string threads = std::to_string(opening.threads.value_or(1));
    for (const char* name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}) {
        setenv(name, threads.c_str(), /*overwrite=*/opening.threads ? 1 : 0);
    }
    set_if_said("OPENBLAS_CORETYPE", opening.blas_core);
    set_if_said("ATEN_CPU_CAPABILITY", opening.capability);
}

const Factory* open_module(const Opening& opening) {
    const fs::path path = find_module();
    set_environment(opening);
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = module != nullptr ? dlsym(module, "byhand_torch_ref") : nullptr;
    if (symbol == nullptr) {
        throw InputError("the LibTorch module can't be loaded (" + why() +
                         "): check that LibTorch is installed as it was when byhand was built, or build byhand again");
    }
    const Factory* factory = reinterpret_cast<const Factory* (*)()>(symbol)();
    factory->threads(opening.threads.value_or(1));
    return factory;
}

}  // namespace

const Factory& load(const Opening& opening) {
    static const Factory* const factory = open_module(opening);
    return *factory;
}

}  // namespace byhand::torch_ref
