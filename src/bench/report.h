// What was measured, as a document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/rounds.h"
#include "bench/step.h"
#include "report/document.h"

namespace byhand::bench {

// LibTorch as it was found, in a process of its own.
struct AsInstalled {
    Spread torch_seconds;
    double ratio = 0;  // the median of that process's rounds
    std::string blas_core;
};

struct Result {
    std::string recipe;
    bool changed_norm = false;  // to BatchNorm1d's conventions, for both sides
    std::size_t threads = 1;
    std::size_t rounds = 0, steps = 0;  // steps that each side made in all
    Spread seconds;                     // a step, by hand
    double cpus = 0;                    // processors that it kept busy
    // Where LibTorch is there.
    std::optional<Spread> torch_seconds, ratio;
    double torch_cpus = 0;
    std::optional<Losses> losses;
    bool agree = true;  // these
    std::optional<AsInstalled> as_installed;
    double flops = 0;  // a step

    double gflops() const { return flops / seconds.median * 1e-9; }
};

// Of a recipe's step. `changed_norm` and `as_installed` are left for the caller to say.
Result result_of(const StepTimes& times, const Recipe& recipe, std::size_t threads);

// The machine, a table with a row for each recipe, and which norms were changed; in its data the fields of
// docs/formats.md. 80 columns wide.
Document document_of(const Machine& machine, const std::vector<Result>& results);

// Of the JSON text of another process: the figures of its only result, if it had LibTorch. Throws std::runtime_error
// where it is no such JSON.
std::optional<AsInstalled> as_installed_from_json(const std::string& text);

}  // namespace byhand::bench
