// LibTorch's side of a bench.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bench/report.h"
#include "torch_ref/torch_ref.h"

namespace byhand::cli {

struct TorchOptions {
    std::size_t threads = 1;
    bool as_installed = false;  // not at its best, but as it is found
    bool avx2 = false;          // with AVX2 alone
};

// Opens it, at its best unless that is not wanted: with the best of OpenBLAS's kernels that this CPU can run, where the
// user has not chosen any (OPENBLAS_CORETYPE), and keeping the memory that it frees. Null, and a line on stderr that
// says why, where there is none.
const torch_ref::Factory* open_torch(const TorchOptions& options);

// The recipe's step beside LibTorch's as installed, in a process of its own. Throws InputError where that fails.
std::optional<bench::AsInstalled> as_installed(const std::string& recipe, std::size_t threads, std::size_t rounds);

}  // namespace byhand::cli
