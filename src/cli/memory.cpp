#include "cli/memory.h"

#include <algorithm>
#include <string>

#include "base/memory.h"
#include "manual/stepwise.h"

namespace byhand::cli {
namespace {

constexpr double kLibTorch = 200e6;

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
    check_memory_needed(memory_needed(network, rows, bytes_per_number),
                        std::to_string(rows) + " rows of this network need", "give a smaller --batch");
}

}  // namespace byhand::cli
