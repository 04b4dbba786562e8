#include "lab/conventions/small_batches.h"

#include <cmath>
#include <numeric>

#include "lab/norm_steps.h"
#include "names/random.h"

namespace byhand::lab {

std::vector<SmallBatch> small_batches(const std::vector<std::size_t>& sizes, std::size_t batches, std::uint64_t seed) {
    TorchGenerator g = torch_seeded(seed);
    const auto mean_of = [batches](const std::vector<double>& values) {
        return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(batches);
    };
    std::vector<SmallBatch> found;
    found.reserve(sizes.size());
    for (const std::size_t rows : sizes) {
        std::vector<float> drawn(rows * batches);
        randn(g, drawn);
        // A batch is a column.
        const NormInput<double> in{
            rows, batches, as<double>(drawn), {}, std::vector<double>(batches, 1), std::vector<double>(batches, 0)};
        NormConfig norm;
        norm.batch_divisor = Divisor::n;
        const double by_n = mean_of(norm_forward(in, norm).bnvar);
        norm.batch_divisor = Divisor::n_minus_1;
        std::vector<double> spread = norm_forward(in, norm).bnvar;
        const double by_n_minus_1 = mean_of(spread);
        for (double& each : spread) {
            each = std::sqrt(each);
        }
        found.push_back({rows, by_n, by_n_minus_1, std::pow(mean_of(spread), 2)});
    }
    return found;
}

}  // namespace byhand::lab
