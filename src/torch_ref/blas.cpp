#include <dlfcn.h>

#include "torch_ref/load.h"

namespace byhand::torch_ref {

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
