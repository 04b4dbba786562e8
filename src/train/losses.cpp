#include "train/losses.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace byhand {

double mean_loss(Model& model, const Examples& examples, std::size_t vocabulary) {
    if (examples.size() == 0) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const std::size_t T = examples.context, V = vocabulary;
    // Rows at a time, so that memory grows neither with the data nor with the alphabet.
    const std::size_t at_once = std::clamp<std::size_t>((std::size_t{1} << 24) / V, 1, 4096);
    std::vector<float> logits;
    double total = 0;
    for (std::size_t first = 0; first < examples.size(); first += at_once) {
        const std::size_t rows = std::min(at_once, examples.size() - first);
        const Batch batch = examples.rows(first, rows);
        logits.resize(rows * V);
        model.logits(logits, {batch.X, rows * T});
        for (std::size_t i = 0; i < rows; ++i) {
            const float* row = logits.data() + i * V;
            const double max = *std::max_element(row, row + V);
            double sum = 0;
            for (std::size_t j = 0; j < V; ++j) {
                sum += std::exp(row[j] - max);
            }
            total += max + std::log(sum) - row[batch.Y[i]];
        }
    }
    return total / static_cast<double>(examples.size());
}

}  // namespace byhand
