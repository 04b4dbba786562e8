// Two tensors side by side: figures and a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/view.h"

namespace byhand {

enum class Verdict {
    exact,         // equal to LibTorch's to the bit, whatever the oracle says
    within,        // no element's error exceeds its limit, and every limit says something
    mismatch,      // one does
    non_finite,    // a NaN or an infinity where there need be none
    shape,         // shapes or element types differ
    missing,       // one side does not have it
    unwritten,     // an element was never written
    vacuous,       // all zero, or all equal, on both sides: a wrong computation could have made the same
    out_of_range,  // float may under- or overflow here, or divide by a variance of zero
    undecided,     // within, but some elements' limits are too wide to say anything
    not_given,     // external values need not be all
};

// As it stands in reports: "non-finite".
std::string to_string(Verdict verdict);

// exact and within; nothing else is agreement.
bool agrees(Verdict verdict);

// Neither agreement nor one of those that contradict nothing: undecided (the steps alone decide) and not_given.
bool contradicts(Verdict verdict);

// A limit above this share of the largest magnitude says nothing of its element. Such elements are only held to the
// tensor's widest limit.
inline constexpr double kTooWide = 1e-2;

// The largest magnitude and the widest limit among the elements that are in range.
struct Yardstick {
    double scale = 0;
    // For elements that are nothing but rounding, beside the tensor's scale: one limit for all of them. The spread of
    // what is itself the rounding of rounding has long tails, element by element.
    double widest = 0;
};
Yardstick yardstick_of(const View& truth, std::span<const double> limits);

// Whether an element's limit says something of it; if not, it is held to the widest.
inline bool says_something(const Yardstick& yardstick, double limit) {
    return limit <= kTooWide * yardstick.scale;
}
inline double held_to(const Yardstick& yardstick, double limit) {
    return says_something(yardstick, limit) ? limit : yardstick.widest;
}

// `limits` has one for each element, or one for all.
inline double limit_at(std::span<const double> limits, std::size_t position) {
    return limits[limits.size() == 1 ? 0 : position];
}

// The element whose error takes the largest share of its limit, or the first one that is unwritten, not finite or out
// of range.
struct Worst {
    std::size_t position = 0;
    double manual = 0;
    double torch = 0;
    std::optional<double> oracle;
};

// One of the elements that stand beside the worst in its row.
struct Neighbour {
    std::size_t position = 0;
    double manual = 0;
    double torch = 0;
};

// What is not known is empty: the figures of a tensor that one side does not have, or whose shapes differ.
struct TensorResult {
    std::string name;
    Shape shape;       // ours, or the reference's where we have none
    std::string note;  // what differs where it is not figures: "(32, 27) against (27)", "LibTorch has none"
    bool bit_equal = false;
    std::optional<double> max_abs_diff;
    std::optional<std::uint64_t> max_ulp;  // the largest number of floats that lie between two elements
    std::optional<Worst> worst;
    std::vector<Neighbour> around;       // where one is off or has no figure: up to two before it, itself, two after
    std::optional<double> error_manual;  // the largest distance to the oracle
    std::optional<double> error_torch;
    std::optional<double> scale;     // the largest magnitude of the oracle, or of the reference where there is none
    std::optional<double> limit;     // of the worst element
    std::optional<double> used;      // the largest share of its limit that an error takes
    bool torch_further_off = false;  // LibTorch's own error exceeds the widest limit, and ours
    Verdict verdict = Verdict::missing;
};

// What may be held against a tensor besides its figures.
enum class AllZero {
    vacuous,   // made by a step: all zero, or all equal, shows nothing
    expected,  // given to both sides, or zero in exact arithmetic
};

// Compares `manual` with `torch` (null where a side has none) and, where there is one, both with `oracle`. In that
// order: missing, shape, unwritten, non-finite, figures. What must not exceed an element's limit is its distance from
// the oracle, or from `torch` where there is none. `limits` has one for each element, or one for all; where a limit is
// not finite the element is out of range.
TensorResult compare_tensor(const std::string& name, const View* manual, const View* torch, const View* oracle,
                            std::span<const double> limits, AllZero all_zero);

// The largest |a − b|, a NaN where one of them is. Precondition: equal shapes.
double largest_difference(const View& a, const View& b);

// How many representable numbers lie from a to b, both of the type `dtype` (float32 or float64); 0 where equal, and
// across zero the two distances added. Precondition: neither is a NaN.
std::uint64_t ulp_distance(double a, double b, DType dtype);

}  // namespace byhand
