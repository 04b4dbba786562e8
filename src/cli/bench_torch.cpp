#include "cli/bench_torch.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/error.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/say.h"
#include "fast/simd/targets.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

torch_ref::Opening opening_of(const TorchOptions& options) {
    torch_ref::Opening opening;
    opening.threads = options.threads;
    if (options.as_installed) {
        opening.blas_core = "";
    } else if (options.avx2) {
        opening.blas_core = "Haswell";
        opening.capability = "avx2";
    } else if (std::getenv("OPENBLAS_CORETYPE") == nullptr) {
        opening.blas_core = torch_ref::best_blas_core();
    }
    return opening;
}

}  // namespace

const torch_ref::Factory* open_torch(const TorchOptions& options) {
    if (!options.as_installed) {
        keep_freed_memory();
    }
    try {
        return &torch_ref::load(opening_of(options));
    } catch (const InputError& error) {
        say("without LibTorch: {}\n", printable(error.what()));
        return nullptr;
    }
}

bench::Machine machine_of(const torch_ref::Factory* torch, std::size_t threads) {
    return {.cpu = bench::cpu_name(),
            .target = simd::target_name(),
            .threads = threads,
            .peak_gflops = bench::peak_gflops(threads),
            .torch_version = torch != nullptr ? torch->version() : "",
            .blas_core = torch != nullptr ? torch_ref::blas_core() : ""};
}

std::optional<bench::AsInstalled> as_installed(const std::string& recipe, std::size_t threads, std::size_t rounds) {
    const std::optional<ProgramRun> run =
        run_and_read({"/proc/self/exe", "--json", "--as-installed", "--recipe", recipe, "--threads",
                      std::to_string(threads), "--rounds", std::to_string(rounds)});
    if (!run || run->exit_code != kFine) {
        throw InputError(
            fmt::format("LibTorch as installed could not be measured ({}); --no-as-installed leaves it out",
                        run ? last_line(run->err) : "there is no /proc/self/exe"));
    }
    return bench::as_installed_from_json(run->out);
}

}  // namespace byhand::cli
