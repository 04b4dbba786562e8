#include "lab/padding/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/error.h"
#include "lab/figures.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

std::vector<double> deviations(const std::vector<double>& variances) {
    std::vector<double> roots;
    roots.reserve(variances.size());
    for (const double variance : variances) {
        roots.push_back(std::sqrt(variance));
    }
    return roots;
}

// 0 in the rows whose mask is set, or in those whose mask is not.
std::vector<double> without(std::vector<double> rows, const Mask& mask, bool set) {
    const std::size_t H = rows.size() / mask.size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if ((mask[i / H] != 0) == set) {
            rows[i] = 0;
        }
    }
    return rows;
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> differences(a.size());
    std::ranges::transform(a, b, differences.begin(), std::minus());
    return differences;
}

// Root mean squares of each row of `rows`.
std::vector<double> row_means(const std::vector<double>& rows, std::size_t H) {
    std::vector<double> means = row_norms(rows, H);
    for (double& each : means) {
        each /= std::sqrt(static_cast<double>(H));
    }
    return means;
}

AtShare at_share(const NormInput<double>& real, const NormForward<double>& alone, std::size_t pads,
                 const NormConfig& norm) {
    NormInput<double> padded = real;
    padded.n += pads;
    padded.x.resize(padded.n * padded.H);
    const NormForward<double> f = norm_forward(padded, norm);
    std::vector<double> raw = f.bnraw;
    raw.resize(real.x.size());
    const std::vector<double> off = difference(raw, alone.bnraw);
    raw.resize(real.H);
    return {.pads = pads,
            .share = static_cast<double>(pads) / static_cast<double>(padded.n),
            .mean = f.bnmeani,
            .std = deviations(f.bnvar),
            .first = raw,
            .off = root_mean_square(off),
            .most = std::ranges::max(row_means(off, real.H))};
}

std::vector<double> drawn(TorchGenerator& generator, std::size_t count) {
    std::vector<float> values(count);
    randn(generator, values);
    return as<double>(values);
}

NormInput<double> input_of(const SequenceBatch& batch, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    NormInput<double> in{batch.rows(), batch.width, batch.x, {}, {}, {}};
    in.gain = drawn(generator, batch.width);
    in.bias = drawn(generator, batch.width);
    in.dy = drawn(generator, batch.x.size());
    return in;
}

// Without an ε nothing is divided by a deviation of 0.
void check_deviations(const PaddingFindings& found) {
    constexpr const char* kRefused =
        "--bn-eps 0: {} is one number throughout and can't be normalised; give an ε above 0";
    for (std::size_t j = 0; j < found.batch.width; ++j) {
        if (found.by_n.masked.bnvar[j] == 0) {
            throw InputError(fmt::format(kRefused, fmt::format("column {} of the real rows", j + 1)));
        }
    }
    for (std::size_t i = 0; i < found.real.size(); ++i) {
        if (found.layer.lnvar[i] == 0) {
            throw InputError(fmt::format(kRefused, "the row " + found.batch.words[found.real[i]]));
        }
    }
}

}  // namespace

PaddingFigures padding_figures(const NormInput<double>& in, const Mask& mask, const NormConfig& norm) {
    PaddingFigures figures;
    figures.padded = norm_forward(in, norm);
    figures.masked = masked_forward(in, mask, norm);
    figures.std_padded = deviations(figures.padded.bnvar);
    figures.std_masked = deviations(figures.masked.bnvar);
    figures.off = row_means(without(difference(figures.padded.bnraw, figures.masked.bnraw), mask, false), in.H);

    NormInput<double> of_real = in, of_padding = in;
    of_real.dy = without(in.dy, mask, false);
    of_padding.dy = without(in.dy, mask, true);
    figures.dx_padded = norm_backward(of_real, figures.padded, norm).dx;
    figures.dx_masked = masked_backward(of_real, mask, figures.masked, norm).dx;
    figures.sent_padded = norm_backward(of_padding, figures.padded, norm).dx;
    figures.sent_masked = masked_backward(of_padding, mask, figures.masked, norm).dx;
    return figures;
}

std::vector<AtShare> by_share(const NormInput<double>& real, const NormConfig& norm) {
    constexpr int kStep = 5, kMost = 90, kAll = 100;
    const NormForward<double> alone = norm_forward(real, norm);
    std::vector<AtShare> points;
    for (int percent = 0; percent <= kMost; percent += kStep) {
        const double share = static_cast<double>(percent) / kAll;
        const auto pads = static_cast<std::size_t>(std::lround(static_cast<double>(real.n) * share / (1 - share)));
        if (points.empty() || pads > points.back().pads) {
            points.push_back(at_share(real, alone, pads, norm));
        }
    }
    return points;
}

NormConfig padding_conventions(Divisor divisor, double epsilon) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    return norm;
}

PaddingFindings padding_findings(SequenceBatch batch, double epsilon, std::uint64_t seed) {
    PaddingFindings found;
    found.batch = std::move(batch);
    found.in = input_of(found.batch, seed);
    const Mask& mask = found.batch.mask;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != 0) {
            found.real.push_back(i);
        }
    }
    const NormInput<double> real = packed(found.in, mask);
    const NormConfig by_n = padding_conventions(Divisor::n, epsilon),
                     by_n_minus_1 = padding_conventions(Divisor::n_minus_1, epsilon);
    found.by_n = padding_figures(found.in, mask, by_n);
    found.by_n_minus_1 = padding_figures(found.in, mask, by_n_minus_1);
    found.layer = layer_forward(real, epsilon);
    if (epsilon == 0) {
        check_deviations(found);
    }
    found.shares = by_share(real, by_n);
    found.shares_n_minus_1 = by_share(real, by_n_minus_1);
    return found;
}

double root_mean_square(const std::vector<double>& values) {
    return values.empty() ? 0 : norm(values) / std::sqrt(static_cast<double>(values.size()));
}

std::vector<double> row_norms(const std::vector<double>& rows, std::size_t H) {
    std::vector<double> norms;
    norms.reserve(rows.size() / H);
    for (auto row = rows.begin(); row != rows.end(); row += static_cast<std::ptrdiff_t>(H)) {
        norms.push_back(norm({row, row + static_cast<std::ptrdiff_t>(H)}));
    }
    return norms;
}

}  // namespace byhand::lab
