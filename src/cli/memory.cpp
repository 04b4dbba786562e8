#include "cli/memory.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/memory.h"
#include "manual/stepwise.h"

namespace byhand::cli {
namespace {

constexpr double kLibTorch = 200e6;
constexpr double kShare = 0.75;

// In bytes: the program with LibTorch, and a number of bytes for each number that a step makes.
double memory_needed(NetworkConfig network, std::size_t rows, double bytes_per_number) {
    network.vocabulary = std::max<std::size_t>(network.vocabulary, 27);  // the data's may not have been read yet
    const Graph steps = stepwise_graph(network, rows);
    double numbers = 0;
    for (const Step* step : all_steps(steps)) {
        numbers += static_cast<double>(count(step->shape));
    }
    return kLibTorch + bytes_per_number * numbers;
}

}  // namespace

void check_memory(const NetworkConfig& network, std::size_t rows, double bytes_per_number) {
    const double needed = memory_needed(network, rows, bytes_per_number), there = memory_there();
    if (!(needed <= kShare * there)) {
        throw InputError(fmt::format(
            "{} rows of this network need about {:.1f} GB of memory; the limit is {:.1f} GB, {:.0f} % of {:.1f} GB; "
            "give a smaller --batch",
            rows, needed / 1e9, kShare * there / 1e9, 100 * kShare, there / 1e9));
    }
}

}  // namespace byhand::cli
