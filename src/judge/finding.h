// Compares numbers with the right values, or with a reference: figures and a verdict. The only comparison of arrays in
// the project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "byhand/verdict.h"
#include "byhand/view.h"

namespace byhand {

// The numbers as one row, without a name. They must outlive the view.
template <class Numbers>
View view_of(const Numbers& numbers) {
    using T = std::ranges::range_value_t<Numbers>;
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    return {{}, {numbers.size()}, std::is_same_v<T, float> ? DType::float32 : DType::float64, numbers.data()};
}

// A limit above this share of the largest magnitude is uninformative.
inline constexpr double kTooWide = 1e-2;

// The treatment of an element whose limit is uninformative.
enum class TooWide {
    decides,         // isolated steps, files: the limit is a bound, or set by the user, and is applied as it is
    undecided,       // gradcheck: compared with its limit, even an infinite one, but agreement is undecided
    held_to_widest,  // end to end: undecided, and compared with the tensor's widest limit (see Extremes)
};

// When agreement is vacuous.
enum class Vacuous {
    never,     // inputs of both implementations, or values that are zero in exact arithmetic
    all_zero,  // isolated steps: only zeros, all in range; equal numbers may follow from random inputs
    constant,  // end to end: all zero, or all equal: the values of a real network differ
};

// Which elements agree whatever their limit.
enum class NeedsNoLimit {
    none,       // a correct computation may overflow where the limit is not finite: out of range, whatever the values
    same_bits,  // files, NaNs included; an unwritten element counts as a NaN there
    equal,      // the lab: equal numbers agree even without a limit, and a NaN is non-finite
};

struct JudgeOptions {
    TooWide too_wide = TooWide::decides;
    Vacuous vacuous = Vacuous::never;
    NeedsNoLimit needs_no_limit = NeedsNoLimit::none;
    // The scale is the maximum over both: neither is known to be right (files), or either may be zero (gradcheck).
    bool scale_of_both = false;
};

// The largest magnitude and the widest limit among the elements that have figures.
struct Extremes {
    double scale = 0;
    // One limit for all elements that consist only of rounding errors, relative to the tensor's scale. The distribution
    // of such errors has long tails, element by element.
    double widest = 0;
};
// Excludes elements that are not finite, or whose limit is not.
Extremes extremes_of(const View& right, std::span<const double> limits);

// Whether a limit is informative for its element.
inline bool is_informative(const Extremes& extremes, double limit) {
    return limit <= kTooWide * extremes.scale;
}

// `limits` has one for each element, or one for all.
inline double limit_at(std::span<const double> limits, std::size_t position) {
    return limits[limits.size() == 1 ? 0 : position];
}

// An error and the limit that applies to it. A NaN exceeds any limit.
struct Share {
    double error = 0;
    double limit = 0;
    double used = 0;  // error over limit; infinite for a limit of 0
    bool fits = false;
    bool decides = false;

    // The worst element has the largest rank: exceeding its limit ranks before not exceeding it, and an informative
    // limit before the widest. If limits are 0, all shares are infinite and the error decides.
    auto rank() const { return std::tuple(!fits, decides, used, error); }
};
Share share_of(double error, double limit, const Extremes& extremes, TooWide too_wide);

// An element in each of the arrays; empty if that array is unknown.
struct Worst {
    std::size_t position = 0;
    double ours = 0;
    std::optional<double> right;
    std::optional<double> reference;
};

// An element near the worst one, in the same row.
struct Neighbour {
    std::size_t position = 0;
    double ours = 0;
    double reference = 0;
};

// Unknown values are empty.
struct Finding {
    Verdict verdict = Verdict::missing;
    Shape shape;       // ours
    std::string note;  // a remark besides the figures
    bool bit_equal = false;
    // Over the elements that have figures: finite ones, whose limit and right value are finite as well.
    std::optional<double> difference;  // the largest |ours − reference|
    std::optional<std::uint64_t> ulp;  // the largest number of floats between the two
    std::optional<double> error;       // the largest |ours − right|
    // The largest |reference − right|, infinite if the reference is; reference_further_off: it exceeds the widest limit
    // and `error`.
    std::optional<double> reference_error;
    bool reference_further_off = false;
    // The largest magnitude of the right values, or of the reference if they are unknown.
    std::optional<double> scale;
    std::optional<double> used;     // the largest share of its limit that an error reaches
    std::optional<double> catches;  // an error of this size, relative to `scale`, is detected in any element
    // The element of the largest share (Share::rank), or the first one that is unwritten, not finite or out of range.
    std::optional<Worst> worst;
    std::optional<double> limit;  // of that element
    // If it differs from a reference: up to two elements before it, itself, and two after it.
    std::vector<Neighbour> around;
};

// Compares `ours` with `right`, or with `reference` if `right` is null: the distance must not exceed an element's
// limit. Verdicts are considered in this order: missing (both are null), shape, unwritten, non-finite, figures,
// vacuous, out of range. An element is out of range if its limit or right value is not finite; a reference that is not
// finite is non-finite only if `right` is null. An unwritten or non-finite tensor has no figures relative to a
// reference, and otherwise those of its other elements. Shapes must be equal, the reference's type too, and `limits`
// must have one for each element or one for all: otherwise the verdict is shape.
Finding judge(const View& ours, const View* right, const View* reference, std::span<const double> limits,
              const JudgeOptions& options);

// The larger of the two; NaN if either is NaN.
double larger(double a, double b);

// The largest |a − b|; NaN if an element is NaN. Precondition: equal shapes.
double largest_difference(const View& a, const View& b);
template <class T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
    return largest_difference(view_of(a), view_of(b));
}

// The number of representable steps from a to b, both of the type `dtype`; 0 if they are equal, and across zero the sum
// of the two distances; of integers their difference. Precondition: neither is a NaN.
std::uint64_t ulp_distance(double a, double b, DType dtype);

}  // namespace byhand
