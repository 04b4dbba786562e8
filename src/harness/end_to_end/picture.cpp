#include "harness/end_to_end/picture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace byhand {
namespace {

std::size_t blocks(std::size_t extent, std::size_t block) {
    return (extent + block - 1) / block;
}

std::size_t bin_of(double share) {
    if (share == 0) {
        return 0;
    }
    const double half_decades = std::ceil(2 * (std::log10(share) - Picture::kFirstDecade));
    return static_cast<std::size_t>(std::clamp(half_decades, 1.0, double{Picture::kBins - 1}));
}

// An element, and by what it is ranked: no figure comes first, then as Share ranks.
struct Ranked {
    std::pair<bool, decltype(Share().rank())> rank;
    ElementError element;
};

bool worse(const Ranked& a, const Ranked& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.element.position < b.element.position;
}

// Keeps the worst, sorted.
void keep(std::vector<Ranked>& worst, const Ranked& one) {
    worst.insert(std::ranges::upper_bound(worst, one, worse), one);
    worst.resize(std::min(worst.size(), kWorst));
}

}  // namespace

Picture picture_of(const View& manual, const View& torch, const View* oracle, std::span<const double> limits,
                   TooWide too_wide) {
    const std::size_t elements = count(manual.shape);
    const bool has_oracle = oracle != nullptr && oracle->shape == manual.shape;
    const View& truth = has_oracle ? *oracle : torch;
    const Extremes extremes = extremes_of(truth, limits);
    const std::size_t tall = manual.shape.size() < 2 ? 1 : manual.shape.front();
    const std::size_t wide = elements == 0 ? 0 : elements / tall;

    Picture picture;
    picture.block_rows = std::max<std::size_t>(blocks(tall, kMostRows), 1);
    picture.block_columns = std::max<std::size_t>(blocks(wide, tall == 1 ? kMostInOneRow : kMostColumns), 1);
    picture.rows = wide == 0 ? 0 : blocks(tall, picture.block_rows);
    picture.columns = blocks(wide, picture.block_columns);
    picture.shares.assign(picture.rows * picture.columns, 0);

    std::vector<Ranked> worst;
    worst.reserve(kWorst + 1);
    double torch_share = 0;
    for (std::size_t i = 0; i < elements; ++i) {
        const double ours = value_at(manual, i), theirs = value_at(torch, i), right = value_at(truth, i);
        const double limit = limit_at(limits, i);
        const bool has_figure = std::isfinite(ours) && std::isfinite(right) && std::isfinite(limit);
        const auto held = [&](double error) { return share_of(error, limit, extremes, too_wide); };
        const Share ranked = held(has_figure ? std::abs(ours - right) : 0);
        const double share = has_figure ? ranked.used : std::numeric_limits<double>::quiet_NaN();
        float& cell =
            picture.shares[i / wide / picture.block_rows * picture.columns + i % wide / picture.block_columns];
        if (has_figure) {
            ++picture.bins[bin_of(share)];
            cell = std::isnan(cell) ? cell : std::max(cell, static_cast<float>(share));
            torch_share = std::max(torch_share, held(std::abs(theirs - right)).used);
        } else {
            ++picture.without_figure;
            cell = std::numeric_limits<float>::quiet_NaN();
        }
        keep(worst, {{!has_figure, ranked.rank()},
                     {{i, ours, has_oracle ? std::optional(right) : std::nullopt, theirs}, ranked.error, share}});
    }
    if (has_oracle) {
        picture.torch_share = torch_share;
    }
    picture.worst.reserve(worst.size());
    for (const Ranked& one : worst) {
        picture.worst.push_back(one.element);
    }
    return picture;
}

}  // namespace byhand
