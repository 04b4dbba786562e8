// The measurements as a document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/ranks.h"
#include "bench/rounds.h"
#include "bench/step.h"
#include "report/document.h"

namespace byhand::bench {

// LibTorch with its default settings, measured in a subprocess.
struct AsInstalled {
    Spread torch_seconds;
    double ratio = 0;  // the median of that process's rounds
    std::string blas_core;
};

struct Result {
    std::string recipe;
    bool changed_norm = false;  // to BatchNorm1d's conventions, for both implementations
    std::size_t threads = 1;
    std::size_t rounds = 0, steps = 0;  // steps run by each implementation in total
    Spread seconds;                     // per handwritten step
    double cpus = 0;                    // processors that it kept busy
    // With LibTorch only.
    std::optional<Spread> torch_seconds, ratio;
    double torch_cpus = 0;
    std::optional<Losses> losses;
    bool agree = true;  // whether the losses do
    std::optional<AsInstalled> as_installed;
    std::vector<PeerResult> peers;
    double flops = 0;  // per step

    double gflops() const { return flops / seconds.median * 1e-9; }
};

// The result of a recipe's step. The caller sets `changed_norm` and `as_installed`.
Result result_of(const StepTimes& times, const Recipe& recipe, std::size_t threads);

// The machine, a table with a row for each recipe, and the norms that were changed; its data has the fields of
// docs/formats.md. 80 columns wide.
Document document_of(const Machine& machine, const std::vector<Result>& results);

// Parses the JSON of a subprocess: the figures of its only result, if it had LibTorch. Throws std::runtime_error for
// any other text.
std::optional<AsInstalled> as_installed_from_json(const std::string& text);

// ---- The figures of several ranks as a document, and as lines of a sweep ----

// `changed_norm` as in Result (report.h). A table with a row for each number of ranks; its data has the fields of
// docs/formats.md.
Document document_of(const Machine& machine, const std::string& recipe, bool changed_norm, const RankResult& result);

// The rows of the first table as lines of CSV, with the value of the size that is swept before them.
std::string csv_lines(std::size_t value, const RankResult& result, bool with_header);

}  // namespace byhand::bench
