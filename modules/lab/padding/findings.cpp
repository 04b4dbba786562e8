#include "lab/padding/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "lab/figures.h"
#include "manual/batchnorm/masked.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

// The step that makes this value, by another function that takes the mask after what the step reads.
template <class... FunctionAndSizes>
void replace(Graph& graph, const std::string& makes, FunctionAndSizes... function_and_sizes) {
    for (StepList* list : {&graph.forward, &graph.backward}) {
        for (Step& step : *list) {
            if (step.makes == makes) {
                StepList other;
                add(other, makes, step.shape, step.reads, function_and_sizes...);
                step = other.front();
            }
        }
    }
}

// 0 in the rows whose mask is set, or in those whose mask is not.
Rows without(Rows rows, const Mask& mask, bool set) {
    const std::size_t H = rows.size() / mask.size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if ((mask[i / H] != 0) == set) {
            rows[i] = 0;
        }
    }
    return rows;
}

std::vector<double> square_roots(const std::vector<double>& values) {
    std::vector<double> roots(values.size());
    std::ranges::transform(values, roots.begin(), [](double value) { return std::sqrt(value); });
    return roots;
}

// A figure of each row.
std::vector<double> by_row(const Rows& rows, std::size_t H, double (*figure)(const std::vector<double>& row)) {
    std::vector<double> all(rows.size() / H);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = figure(row_of(rows, i, H));
    }
    return all;
}

void find_by_divisor(ByDivisor& by, const Findings& found) {
    const Mask& mask = found.batch.mask;
    const Graph padded = operation_graph(op::kBatchnorm, by.norm, mask.size(), found.H());
    const Graph masked = masked_graph(by.norm, mask, found.H());
    Numbers<double> of_real = found.in, of_padding = found.in;
    of_real["dhpreact"] = without(of_real["dhpreact"], mask, false);
    of_padding["dhpreact"] = without(of_padding["dhpreact"], mask, true);
    by.padded = forward_and_backward(padded, of_real);
    by.masked = forward_and_backward(masked, of_real);
    by.std_padded = square_roots(by.padded["bnvar"]);
    by.std_masked = square_roots(by.masked["bnvar"]);
    by.off =
        by_row(without(difference(by.padded["bnraw"], by.masked["bnraw"]), mask, false), found.H(), root_mean_square);
    by.sent_padded = forward_and_backward(padded, of_padding)["dhprebn"];
    by.sent_masked = forward_and_backward(masked, of_padding)["dhprebn"];
}

// Without an ε nothing is divided by a deviation of 0.
void check_deviations(const Findings& found) {
    constexpr const char* kRefused =
        "--bn-eps 0: {} is one number throughout and can't be normalised; give an ε above 0";
    for (std::size_t j = 0; j < found.H(); ++j) {
        if (found.by[0].masked["bnvar"][j] == 0) {
            throw InputError(fmt::format(kRefused, fmt::format("column {} of the real rows", j + 1)));
        }
    }
    for (std::size_t i = 0; i < found.real.size(); ++i) {
        if (found.layer["lnvar"][i] == 0) {
            throw InputError(fmt::format(kRefused, "the row " + found.batch.words[found.real[i]]));
        }
    }
}

}  // namespace

Graph masked_graph(const NormConfig& norm, const Mask& rows, std::size_t H) {
    const std::size_t n = rows.size();
    const unsigned char* const mask = rows.data();
    const Divisor divisor = norm.batch_divisor;
    Graph graph = operation_graph(op::kBatchnorm, norm, n, H);
    replace(graph, "bnmeani", BYHAND_FUNCTION(masked_batchnorm_mean), mask, n, H);
    replace(graph, "bndiff", BYHAND_FUNCTION(masked_batchnorm_difference), mask, n, H);
    replace(graph, "bnvar", BYHAND_FUNCTION(masked_batchnorm_variance), mask, n, H, divisor);
    replace(graph, "hpreact", BYHAND_FUNCTION(masked_batchnorm_scale_shift), mask, n, H);
    replace(graph, "dbngain", BYHAND_FUNCTION(masked_batchnorm_gain_backward), mask, n, H);
    replace(graph, "dbnbias", BYHAND_FUNCTION(masked_batchnorm_bias_backward), mask, n, H);
    replace(graph, "dbnraw", BYHAND_FUNCTION(masked_batchnorm_raw_backward), mask, n, H);
    replace(graph, "dbndiff2", BYHAND_FUNCTION(masked_batchnorm_square_sum_backward), mask, n, H, divisor);
    replace(graph, "dhprebn", BYHAND_FUNCTION(masked_batchnorm_input_backward), mask, n, H);
    return graph;
}

Graph layer_graph(double epsilon, std::size_t n, std::size_t H) {
    return operation_graph(op::kLayernorm, {.epsilon = epsilon}, n, H, HandForm::collapsed);
}

Numbers<double> for_layer_norm(const Numbers<double>& in) {
    return {
        {{"hpreln", in["hprebn"]}, {"dhpreact", in["dhpreact"]}, {"lngain", in["bngain"]}, {"lnbias", in["bnbias"]}}};
}

Numbers<double> packed(Numbers<double> in, const Mask& mask) {
    in["hprebn"] = packed(in["hprebn"], mask);
    in["dhpreact"] = packed(in["dhpreact"], mask);
    return in;
}

Rows row_of(const Rows& rows, std::size_t i, std::size_t H) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i * H);
    return {begin, begin + static_cast<std::ptrdiff_t>(H)};
}

double root_mean_square(const std::vector<double>& values) {
    return values.empty() ? 0 : norm(values) / std::sqrt(static_cast<double>(values.size()));
}

Findings findings(SequenceBatch batch, double epsilon, std::uint64_t seed) {
    Findings found;
    auto& [by_n, by_n_minus_1] = found.by;
    by_n.norm = {.batch_divisor = Divisor::n, .epsilon = epsilon};
    by_n.words = "divisor n";
    by_n_minus_1.norm = {.batch_divisor = Divisor::n_minus_1, .epsilon = epsilon};
    by_n_minus_1.words = "divisor n − 1";
    by_n_minus_1.end = "_unbiased";
    found.batch = std::move(batch);
    TorchGenerator generator = torch_seeded(seed);
    const auto drawn = [&](std::size_t count) {
        std::vector<float> values(count);
        randn(generator, values);
        return as<double>(values);
    };
    found.in["hprebn"] = found.batch.x;
    found.in["bngain"] = drawn(found.H());
    found.in["bnbias"] = drawn(found.H());
    found.in["dhpreact"] = drawn(found.batch.x.size());
    const Mask& mask = found.batch.mask;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != 0) {
            found.real.push_back(i);
        }
    }
    const Numbers<double> real = packed(found.in, mask);
    found.layer = for_layer_norm(real);
    run(layer_graph(epsilon, found.real.size(), found.H()).forward, found.layer);
    for (ByDivisor& by : found.by) {
        find_by_divisor(by, found);
    }
    if (epsilon == 0) {
        check_deviations(found);
    }
    return found;
}

double off_by_padding(const Findings& found, std::size_t pads, const ByDivisor& by) {
    const std::size_t H = found.H(), real = found.real.size();
    const auto normalised = [&](std::size_t zeros) {
        Numbers<double> all = packed(found.in, found.batch.mask);
        all["hprebn"].resize((real + zeros) * H);
        run(operation_graph(op::kBatchnorm, by.norm, real + zeros, H).forward, all);
        all["bnraw"].resize(real * H);
        return all["bnraw"];
    };
    return root_mean_square(difference(normalised(pads), normalised(0)));
}

}  // namespace byhand::lab
