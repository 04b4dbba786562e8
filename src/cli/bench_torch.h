// The options of a benchmark, LibTorch in it, and a benchmark by several processes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "recipe/recipe.h"
#include "torch_ref/torch_ref.h"

namespace byhand::cli {

struct TorchOptions {
    std::size_t threads = 1;
    bool as_installed = false;  // with the defaults of OpenBLAS and malloc
    bool avx2 = false;          // with AVX2 only
};

struct BenchOptions {
    std::vector<InputPath> recipes;
    TorchOptions torch;
    std::size_t rounds = 30;
    bool no_as_installed = false;
    bool kernels = false;
    InputPath compare;
    std::vector<std::size_t> ranks;  // numbers of ranks
    RankOptions rank_options;        // without their number
    std::string sweep;               // empty: the recipe as it is
    OutputPath svg;
    ReportOptions report;
};

// Loads LibTorch, with the fastest kernels of OpenBLAS that this CPU can run unless the user has chosen some
// (OPENBLAS_CORETYPE), and with a malloc that keeps freed memory; with neither if `as_installed`. Null if LibTorch is
// missing; then a line on stderr states why.
const torch_ref::Factory* open_torch(const TorchOptions& options);

// This machine, and its peak with that many threads. `torch` may be null.
bench::Machine machine_of(const torch_ref::Factory* torch, std::size_t threads);

// The recipe's step beside LibTorch's as installed, in a separate process. Throws InputError if that fails.
std::optional<bench::AsInstalled> as_installed(const std::string& recipe, std::size_t threads, std::size_t rounds);

// ---- byhand bench --ranks: a training step by several processes ----

// Starts the processes, or is one of them. `changed_norm` as in bench/report.h. Returns the exit code. Throws
// InputError as train does.
int measure_ranks(BenchOptions options, const Recipe& recipe, bool changed_norm);

}  // namespace byhand::cli
