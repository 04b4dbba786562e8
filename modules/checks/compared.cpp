// The figures of two tensors, piece by piece: they may be larger than memory.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/error.h"
#include "base/narrow.h"
#include "checks/diff.h"

namespace byhand {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;  // elements

// The elements of a tensor, one piece after the other.
class Pieces {
public:
    explicit Pieces(const TensorSource& source)
        : source_(source), bytes_(source.open()), left_(count(source.shape)), piece_{{}, {0}, *source.dtype, nullptr} {}

    // False at the end; at least one piece.
    bool next() {
        if (left_ == 0 && begun_) {
            return false;
        }
        begun_ = true;
        const std::size_t elements = std::min(left_, kPiece), size = elements * size_of(*source_.dtype);
        memory_.resize(size);
        std::size_t got = 0;
        for (std::size_t more = 1; got < size && more > 0; got += more) {
            more = bytes_(memory_.data() + got, size - got);
        }
        if (got < size) {
            throw InputError("tensor " + source_.name + " ends early");
        }
        left_ -= elements;
        piece_.shape = {elements};
        piece_.data = memory_.data();
        return true;
    }
    const View& piece() const { return piece_; }

private:
    const TensorSource& source_;
    ByteSource bytes_;
    std::size_t left_;
    bool begun_ = false;
    std::vector<std::byte> memory_;
    View piece_;
};

std::vector<double> in_double(const View& view) {
    std::vector<double> numbers(count(view.shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = value_at(view, i);
    }
    return numbers;
}

double largest_magnitude(const TensorSource& source) {
    double largest = 0;
    for (Pieces pieces(source); pieces.next();) {
        for (const double x : in_double(pieces.piece())) {
            largest = std::isfinite(x) ? std::max(largest, std::abs(x)) : largest;
        }
    }
    return largest;
}

// Sums over the finite elements of both.
struct Sums {
    double ab = 0, aa = 0, bb = 0;
    double differences = 0, roundings = 0;  // squares
    double largest = 0;                     // of B
    std::size_t not_finite = 0;
};

void add(Sums& sums, std::span<const double> a, std::span<const double> b, DType coarser) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
            ++sums.not_finite;
            continue;
        }
        sums.ab += a[i] * b[i];
        sums.aa += a[i] * a[i];
        sums.bb += b[i] * b[i];
        sums.differences += (a[i] - b[i]) * (a[i] - b[i]);
        const double unit = is_integer(coarser) ? 0 : spacing_at(b[i], coarser);
        sums.roundings += unit * unit / 12;  // the variance of an error that is uniform in ±unit/2
        sums.largest = std::max(sums.largest, std::abs(b[i]));
    }
}

bool is_worse(const Finding& a, const Finding& b) {
    const auto rank = [](const Finding& one) {
        return std::tuple(one.verdict == Verdict::mismatch, one.used.value_or(0), one.difference.value_or(0));
    };
    return rank(a) > rank(b);
}

template <class T>
void raise(std::optional<T>& largest, const std::optional<T>& other) {
    largest = std::max(largest, other);
}

// Adds the finding of the piece that begins at this element. The first one that is not finite decides, as in judge().
void merge(Finding& whole, Finding piece, std::size_t begin) {
    if (piece.worst) {
        piece.worst->position += begin;
        for (Neighbour& neighbour : piece.around) {
            neighbour.position += begin;
        }
    }
    if (begin == 0 || piece.verdict == Verdict::non_finite) {
        whole = std::move(piece);
        return;
    }
    if (piece.worst && (!whole.worst || is_worse(piece, whole))) {
        whole.worst = piece.worst;
        whole.limit = piece.limit;
        whole.around = std::move(piece.around);
    }
    whole.bit_equal = whole.bit_equal && piece.bit_equal;
    raise(whole.difference, piece.difference);
    raise(whole.ulp, piece.ulp);
    raise(whole.scale, piece.scale);
    raise(whole.used, piece.used);
    whole.verdict = whole.verdict == Verdict::mismatch || piece.verdict == Verdict::mismatch ? Verdict::mismatch
                    : whole.bit_equal                                                        ? Verdict::exact
                                                                                             : Verdict::within;
}

// One limit for all elements, or one for each.
std::vector<double> limits_of(std::span<const double> b, double same, double ulp, DType coarser) {
    std::vector<double> limits(ulp > 0 ? b.size() : 1, same);
    for (std::size_t i = 0; ulp > 0 && i < limits.size(); ++i) {
        limits[i] += std::isfinite(b[i]) ? ulp * (is_integer(coarser) ? 1 : spacing_at(b[i], coarser)) : 0;
    }
    return limits;
}

std::uint64_t largest_ulp(std::span<const double> a, std::span<const double> b, DType coarser) {
    std::uint64_t largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isfinite(a[i]) && std::isfinite(b[i])) {
            largest = std::max(largest, ulp_distance(rounded_to(coarser, a[i]), rounded_to(coarser, b[i]), coarser));
        }
    }
    return largest;
}

}  // namespace

DiffedTensor compared(const TensorSource& a, const TensorSource& b, const DiffConfig& config) {
    const DiffLimit& limit = config.limit;
    const bool same_type = a.dtype == b.dtype;
    const DType coarser = coarser_of(*a.dtype, *b.dtype);
    const double same = limit.absolute + (limit.relative > 0 ? limit.relative * largest_magnitude(b) : 0);
    DiffedTensor result;
    Sums sums;
    Pieces of_a(a), of_b(b);
    for (std::size_t begin = 0; of_a.next() && of_b.next() && result.verdict != Verdict::non_finite; begin += kPiece) {
        const std::vector<double> x = in_double(of_a.piece()), y = in_double(of_b.piece());
        const std::vector<double> limits = limits_of(y, same, limit.ulp, coarser);
        const View in_a = same_type ? of_a.piece() : view_of(x), in_b = same_type ? of_b.piece() : view_of(y);
        Finding piece =
            judge(in_a, nullptr, &in_b, limits, {.needs_no_limit = NeedsNoLimit::same_bits, .scale_of_both = true});
        if (!same_type && piece.ulp) {
            piece.ulp = largest_ulp(x, y, coarser);
        }
        merge(result, std::move(piece), begin);
        add(sums, x, y, coarser);
        config.progress(x.size());
    }
    result.name = a.name;
    result.type = a.type == b.type ? a.type : a.type + " | " + b.type;
    result.shape = a.shape;
    if (result.verdict == Verdict::non_finite) {
        result.difference = result.scale = result.used = {};
        result.ulp = {};
        return result;
    }
    result.note = sums.not_finite > 0 ? "not finite, and the same in both: " + std::to_string(sums.not_finite) : "";
    const double norms = std::sqrt(sums.aa) * std::sqrt(sums.bb);
    if (norms > 0 && std::isfinite(norms)) {
        result.cosine = std::clamp(sums.ab / norms, -1.0, 1.0);
    }
    if (sums.largest > 0) {
        result.relative = *result.difference / sums.largest;
    }
    if (!is_integer(coarser)) {
        result.roundings = sums.differences > 0 ? std::sqrt(sums.differences / sums.roundings) : 0;
    }
    return result;
}

}  // namespace byhand
