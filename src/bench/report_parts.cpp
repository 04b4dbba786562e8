#include "bench/report_parts.h"

#include <fmt/core.h>

#include "base/json.h"

namespace byhand::bench {

Json json_of(const Spread& spread, double unit) {
    return {{"median", spread.median / unit}, {"p10", spread.p10 / unit}, {"p90", spread.p90 / unit}};
}

Json json_of(const std::optional<Spread>& spread, double unit) {
    return spread ? json_of(*spread, unit) : Json();
}

Json json_of(const Machine& machine) {
    const bool with_torch = !machine.torch_version.empty();
    return {{"cpu", machine.cpu},
            {"target", machine.target},
            {"threads", machine.threads},
            {"peak_gflops", machine.peak_gflops},
            {"blas_core", with_torch ? Json(machine.blas_core) : Json()},
            {"torch", with_torch ? Json(machine.torch_version) : Json()}};
}

std::string text_of(const Json& json) {
    return printed_json(json, 2) + "\n";
}

std::string heading(const Machine& machine) {
    const std::string threads = machine.threads == 1 ? "one thread" : fmt::format("{} threads", machine.threads);
    std::string text =
        fmt::format("{}\n{}, {}: {:.0f} GFLOP/s at most\n", machine.cpu, machine.target, threads, machine.peak_gflops);
    if (!machine.torch_version.empty()) {
        text += fmt::format("LibTorch {}, its BLAS for {}\n", machine.torch_version, machine.blas_core);
    }
    return text + "\n";
}

std::string micros(double seconds) {
    const double value = seconds / kMicro;
    return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::string with_spread(const Spread& ratio) {
    return fmt::format("{:.2f} ({:.2f}–{:.2f})", ratio.median, ratio.p10, ratio.p90);
}

}  // namespace byhand::bench
