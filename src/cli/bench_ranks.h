// byhand bench --ranks: a training step by several processes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/bench_torch.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "recipe/recipe.h"

namespace byhand::cli {

struct RankBench {
    std::vector<std::size_t> numbers;  // of ranks
    RankOptions ranks;                 // without their number
    TorchOptions torch;
    std::size_t rounds = 30;
    std::string sweep;  // empty: the recipe as it is
    ReportOptions report;
};

// Starts the processes, or is one of them. `changed_norm` as in bench/report.h. Returns the exit code. Throws
// InputError as train does.
int measure_ranks(RankBench bench, const Recipe& recipe, bool changed_norm);

}  // namespace byhand::cli
