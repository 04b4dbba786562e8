// Which tensors of two files may be the same under different names, or with their axes exchanged.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/narrow.h"
#include "base/nearest.h"
#include "checks/diff.h"

namespace byhand {
namespace {

// Of more, comparing each with each takes too long.
constexpr std::size_t kMostTensors = 300;
// Elements that are compared, of all tensors together.
constexpr std::size_t kMostElements = 20'000'000;
// Values that differ by less, relative to the largest, are the same.
constexpr double kSame = 1e-2;

bool is_transposed(const Shape& a, const Shape& b) {
    return a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0] && a[0] != a[1];
}

// The difference of the values; nullopt if that would take long.
std::optional<double> apart(const TensorSource& a, const TensorSource& b, bool turned, std::size_t& left) {
    const std::size_t elements = count(a.shape);
    if (!a.dtype || !b.dtype || !a.fault.empty() || !b.fault.empty() || is_integer(*a.dtype) != is_integer(*b.dtype) ||
        elements > left || elements == 0) {
        return std::nullopt;
    }
    left -= elements;
    const DiffedTensor found = compared(a, turned ? transposed(b) : b, {});
    return found.difference ? found.relative.value_or(*found.difference) : std::optional<double>();
}

// How well two tensors fit: values that are the same, then the same name, then a name that is near.
struct Fit {
    Proposal proposal;
    bool same_values = false, same_name = false, near_name = false;

    double rank() const {
        return (same_values ? -4 : 0) + (same_name ? -2 : 0) + (near_name ? -1 : 0) +
               std::min(proposal.apart.value_or(1), 1.0);
    }
    bool is_good() const { return same_values || (same_name && proposal.transposed) || near_name; }
};

std::vector<Fit> fits_of(const TensorSource& a, const std::vector<const TensorSource*>& of_b,
                         std::size_t& elements_left) {
    std::vector<Fit> fits;
    for (const TensorSource* const b : of_b) {
        for (const bool turned : {false, true}) {
            const bool fits_so = turned ? is_transposed(a.shape, b->shape) : a.shape == b->shape && a.name != b->name;
            // A square matrix fits both ways.
            const bool is_square = turned && a.shape == b->shape && a.shape.size() == 2 && a.shape[0] == a.shape[1];
            if (fits_so || is_square) {
                Fit& fit = fits.emplace_back(Fit{{a.name, b->name, turned, apart(a, *b, turned, elements_left)}});
                fit.same_values = fit.proposal.apart && *fit.proposal.apart < kSame;
                fit.same_name = a.name == b->name;
                fit.near_name = !is_square && !all_close_to(a.name, {b->name}).empty();
            }
        }
    }
    return fits;
}

}  // namespace

std::vector<Proposal> proposals(const std::vector<const TensorSource*>& of_a,
                                const std::vector<const TensorSource*>& of_b) {
    std::vector<Proposal> all;
    if (of_a.size() > kMostTensors || of_b.size() > kMostTensors) {
        return all;
    }
    std::vector<const TensorSource*> left = of_b;
    std::size_t elements_left = kMostElements;
    for (const TensorSource* const a : of_a) {
        std::vector<Fit> fits = fits_of(*a, left, elements_left);
        const auto best = std::ranges::min_element(fits, {}, &Fit::rank);
        if (best != fits.end() && best->is_good()) {
            std::erase_if(left, [&](const TensorSource* b) { return b->name == best->proposal.of_b; });
            all.push_back(std::move(best->proposal));
        }
    }
    return all;
}

}  // namespace byhand
