#include "torch_ref/load.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "base/memory.h"
#include "base/module.h"

namespace byhand::torch_ref {
namespace {

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

const Factory* open(const Opening& opening) {
    // With less, LibTorch aborts, or waits forever for threads that could not be started.
    constexpr std::size_t kLibraries = std::size_t{1} << 30, kStack = std::size_t{8} << 20;  // bytes; it maps 0.6 GB
    check_address_space(kLibraries + std::thread::hardware_concurrency() * kStack, "LibTorch");
    set_environment(opening);
    void* const symbol = open_module({.file = "byhand_torch_ref.so",
                                      .symbol = "byhand_torch_ref",
                                      .what = "the LibTorch module",
                                      .package = "byhand-torch",
                                      .build = "-DBYHAND_WITH_TORCH=ON"});
    const Factory* factory = reinterpret_cast<const Factory* (*)()>(symbol)();
    factory->threads(opening.threads.value_or(1));
    return factory;
}

}  // namespace

const Factory& load(const Opening& opening) {
    static const Factory* const factory = open(opening);
    return *factory;
}

const Factory& load() {
    return load(Opening());
}

std::string best_blas_core() {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
        return "SkylakeX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return "Haswell";
    }
#endif
    return "";
}

std::string blas_core() {
    void* library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD);
    void* symbol = library != nullptr ? dlsym(library, "openblas_get_corename") : nullptr;
    return symbol != nullptr ? reinterpret_cast<const char* (*)()>(symbol)() : "unknown";
}

}  // namespace byhand::torch_ref
