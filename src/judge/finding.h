// Numbers against what is right, or against a reference: figures and a verdict. The only comparison of arrays in the
// project.
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

#include "base/view.h"
#include "judge/verdict.h"

namespace byhand {

// The numbers as one row, without a name. They must outlive the view.
template <class Numbers>
View view_of(const Numbers& numbers) {
    using T = std::ranges::range_value_t<Numbers>;
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    return {{}, {numbers.size()}, std::is_same_v<T, float> ? DType::float32 : DType::float64, numbers.data()};
}

// A limit above this share of the largest magnitude says nothing of its element.
inline constexpr double kTooWide = 1e-2;

// What becomes of an element whose limit says nothing.
enum class TooWide {
    decides,         // isolated steps, files: the limit is a bound, or the user's own, and is taken as it is
    undecided,       // gradcheck: held to its limit, however wide, even an infinite one, but it shows nothing
    held_to_widest,  // end to end: undecided, and held to the tensor's widest limit (see Yardstick)
};

// When agreement shows nothing.
enum class Vacuous {
    never,     // given to both sides, or zero in exact arithmetic
    all_zero,  // isolated steps: zeros only, all in range; equal numbers may follow from random inputs
    constant,  // end to end: all zero, or all equal: a real network's values differ
};

// Which elements agree whatever their limit, if they have one.
enum class NeedsNoLimit {
    none,       // where the limit is not finite a right computation may overflow: out of range, whatever stands there
    same_bits,  // files, be they NaNs; there an element never written is a NaN like others
    equal,      // the lab: without a limit equal numbers agree, and a NaN is non-finite
};

struct JudgeOptions {
    TooWide too_wide = TooWide::decides;
    Vacuous vacuous = Vacuous::never;
    NeedsNoLimit needs_no_limit = NeedsNoLimit::none;
    // The scale is that of both sides: neither is known to be right (files), or either may be zero (gradcheck).
    bool scale_of_both = false;
};

// The largest magnitude and the widest limit among the elements that have figures.
struct Yardstick {
    double scale = 0;
    // For elements that are nothing but rounding, beside the tensor's scale: one limit for all of them. The spread of
    // what is itself the rounding of rounding has long tails, element by element.
    double widest = 0;
};
// Without elements that are not finite, or whose limit is not.
Yardstick yardstick_of(const View& right, std::span<const double> limits);

// Whether a limit says something of its element.
inline bool says_something(const Yardstick& yardstick, double limit) {
    return limit <= kTooWide * yardstick.scale;
}

// `limits` has one for each element, or one for all.
inline double limit_at(std::span<const double> limits, std::size_t position) {
    return limits[limits.size() == 1 ? 0 : position];
}

// An error beside the limit that it is held to. A NaN fits no limit.
struct Share {
    double error = 0;
    double limit = 0;
    double used = 0;  // error over limit; infinite where nothing was to spare
    bool fits = false;
    bool decides = false;

    // The worst element has the largest: one that breaks its limit before one that does not, and one that its own limit
    // decides before one held to the widest. Where nothing is to spare every share is infinite: then by the error.
    auto rank() const { return std::tuple(!fits, decides, used, error); }
};
Share share_of(double error, double limit, const Yardstick& yardstick, TooWide too_wide);

// An element on each side; empty where that side is unknown.
struct Worst {
    std::size_t position = 0;
    double ours = 0;
    std::optional<double> right;
    std::optional<double> reference;
};

// One of the elements that stand beside the worst in its row.
struct Neighbour {
    std::size_t position = 0;
    double ours = 0;
    double reference = 0;
};

// What is not known is empty.
struct Finding {
    Verdict verdict = Verdict::missing;
    Shape shape;       // ours
    std::string note;  // what there is to say besides figures
    bool bit_equal = false;
    // Over the elements that have figures: finite ones, whose limit and right value are finite as well.
    std::optional<double> difference;  // the largest |ours − reference|
    std::optional<std::uint64_t> ulp;  // the largest number of floats between the two
    std::optional<double> error;       // the largest |ours − right|
    // The largest |reference − right|, infinite where the reference is; further off where it exceeds the widest limit,
    // and `error`.
    std::optional<double> reference_error;
    bool reference_further_off = false;
    std::optional<double> scale;    // the largest magnitude of what is right, or of the reference where that is unknown
    std::optional<double> used;     // the largest share of its limit that an error takes
    std::optional<double> catches;  // an error of this size, relative to `scale`, is caught wherever it stands
    // The element of the largest share (Share::rank), or the first one that is unwritten, not finite or out of range.
    std::optional<Worst> worst;
    std::optional<double> limit;    // there
    std::vector<Neighbour> around;  // where it does not agree with a reference: up to two before it, itself, two after
};

// Judges `ours` against `right`, or against `reference` where `right` is null: the distance from that must not exceed
// an element's limit. In this order: missing (both are null), shape, unwritten, non-finite, figures, vacuous, out of
// range. Out of range is an element whose limit or right value is not finite; a reference that is not finite is
// non-finite only where `right` is null. An unwritten or non-finite tensor has no figures beside a reference, and
// otherwise those of its other elements. Shapes must be equal, the reference's type too, and `limits` have one for each
// element or one for all: else the verdict is shape.
Finding judge(const View& ours, const View* right, const View* reference, std::span<const double> limits,
              const JudgeOptions& options);

// The larger of the two; a NaN where one is.
double larger(double a, double b);

// The largest |a − b|; a NaN where one of them is. Precondition: equal shapes.
double largest_difference(const View& a, const View& b);
template <class T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
    return largest_difference(view_of(a), view_of(b));
}

// How many representable numbers lie from a to b, both of the type `dtype` (float32 or float64); 0 where equal, and
// across zero the two distances added. Precondition: neither is a NaN.
std::uint64_t ulp_distance(double a, double b, DType dtype);

}  // namespace byhand
