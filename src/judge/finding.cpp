#include "judge/finding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "base/narrow.h"
#include "base/tensors.h"
#include "byhand/verdict.h"

namespace byhand {
namespace {

// The number's rank among all numbers of its type: neighbours differ by 1, and ±0 are both 0.
std::int64_t rank(double value, DType dtype) {
    if (dtype == DType::float32) {
        const auto bits = std::bit_cast<std::int32_t>(static_cast<float>(value));
        return bits >= 0 ? bits : std::int64_t{INT32_MIN} - bits;
    }
    if (is_narrow(dtype)) {
        const auto bits = static_cast<std::int16_t>(dtype == DType::bfloat16 ? bfloat16_of(value) : float16_of(value));
        return bits >= 0 ? bits : std::int64_t{INT16_MIN} - bits;
    }
    const auto bits = std::bit_cast<std::int64_t>(value);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

std::uint64_t distance(std::int64_t a, std::int64_t b) {
    const auto [low, high] = std::minmax(a, b);
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
}

bool unwritten_at(const View& view, std::size_t position) {
    switch (view.dtype) {
        case DType::float32:
            return is_unwritten(static_cast<const float*>(view.data) + position);
        case DType::float64:
            return is_unwritten(static_cast<const double*>(view.data) + position);
        default:
            return false;
    }
}

std::int64_t whole_at(const View& view, std::size_t position) {
    return view.dtype == DType::int64 ? static_cast<const std::int64_t*>(view.data)[position]
                                      : static_cast<std::int64_t>(value_at(view, position));
}

bool same_bits(const View& a, const View& b, std::size_t position) {
    const std::size_t size = size_of(a.dtype), offset = position * size;
    return std::memcmp(static_cast<const char*>(a.data) + offset, static_cast<const char*>(b.data) + offset, size) == 0;
}

bool all_equal(const View& view) {
    for (std::size_t i = 1; i < count(view.shape); ++i) {
        if (value_at(view, i) != value_at(view, 0)) {
            return false;
        }
    }
    return true;
}

bool all_zero(const View& view) {
    return all_equal(view) && (count(view.shape) == 0 || value_at(view, 0) == 0);
}

// All zero, or all equal with more than one element per row. (A statistic of a single unit, equal in every row of a
// batch, is expected.)
bool is_constant(const View& view) {
    return all_zero(view) || (all_equal(view) && !view.shape.empty() && view.shape.back() > 1);
}

// |a − b|. Integers are subtracted as integers: double cannot represent large ones exactly.
double distance_at(const View& a, const View& b, std::size_t position) {
    if (is_integer(a.dtype) && is_integer(b.dtype)) {
        return static_cast<double>(distance(whole_at(a, position), whole_at(b, position)));
    }
    return std::abs(value_at(a, position) - value_at(b, position));
}

// For two elements of one type.
std::uint64_t ulp_at(const View& a, const View& b, std::size_t position) {
    return is_integer(a.dtype) ? distance(whole_at(a, position), whole_at(b, position))
                               : ulp_distance(value_at(a, position), value_at(b, position), a.dtype);
}

// The class of an element before its error is considered; `same` agrees whatever its limit.
enum class ElementClass { figure, same, unwritten, non_finite, out_of_range };

struct Operands {
    const View& ours;
    const View* right;
    const View* reference;
    const View& truth;  // the origin of errors: `right`, or the reference
    std::span<const double> limits;
    const JudgeOptions& options;

    bool comparable() const {
        return truth.shape == ours.shape &&
               (reference == nullptr || (reference->shape == ours.shape && reference->dtype == ours.dtype)) &&
               (limits.size() == 1 || limits.size() == count(ours.shape));
    }

    ElementClass kind(std::size_t i) const {
        if (options.needs_no_limit == NeedsNoLimit::same_bits) {
            if (reference != nullptr && same_bits(ours, *reference, i)) {
                return ElementClass::same;
            }
        } else if (unwritten_at(ours, i) || (reference != nullptr && unwritten_at(*reference, i))) {
            return ElementClass::unwritten;
        }
        const double a = value_at(ours, i), b = value_at(truth, i);
        const bool limited = std::isfinite(limit_at(limits, i)) || options.too_wide == TooWide::undecided;
        if (!limited && options.needs_no_limit == NeedsNoLimit::equal && !(std::abs(a - b) > 0)) {
            return a - b == 0 ? ElementClass::same : ElementClass::non_finite;
        }
        if (!limited || (right != nullptr && !std::isfinite(b))) {
            return ElementClass::out_of_range;
        }
        return std::isfinite(a) && std::isfinite(b) ? ElementClass::figure : ElementClass::non_finite;
    }

    Worst element(std::size_t i) const {
        const auto at = [i](const View* view) {
            return view != nullptr ? std::optional(value_at(*view, i)) : std::nullopt;
        };
        return {i, value_at(ours, i), at(right), at(reference)};
    }

    std::vector<Neighbour> around(std::size_t i) const {
        constexpr std::size_t kBeside = 2;
        std::vector<Neighbour> beside;
        if (reference != nullptr) {
            const std::size_t width = ours.shape.empty() ? 1 : ours.shape.back(), column = i % width;
            const std::size_t last = i + std::min(width - 1 - column, kBeside);
            for (std::size_t k = i - std::min(column, kBeside); k <= last; ++k) {
                beside.push_back({k, value_at(ours, k), value_at(*reference, k)});
            }
        }
        return beside;
    }
};

// Over the elements for which `counts` holds.
template <class Counts>
Extremes extremes_over(const View& right, std::span<const double> limits, Counts counts) {
    Extremes extremes;
    for (std::size_t i = 0; i < count(right.shape); ++i) {
        if (counts(i)) {
            extremes.scale = std::max(extremes.scale, std::abs(value_at(right, i)));
            extremes.widest = std::max(extremes.widest, limit_at(limits, i));
        }
    }
    return extremes;
}

Extremes extremes_of(const Operands& operands, const std::vector<ElementClass>& kinds) {
    const auto counts = [&](std::size_t i) {
        return kinds[i] == ElementClass::figure ||
               (kinds[i] == ElementClass::same && std::isfinite(value_at(operands.ours, i)));
    };
    Extremes extremes = extremes_over(operands.truth, operands.limits, counts);
    if (operands.options.scale_of_both) {
        extremes.scale = std::max(extremes.scale, extremes_over(operands.ours, operands.limits, counts).scale);
    }
    return extremes;
}

// The differences of the reference from ours and, if known, from the right values.
void measure_reference(Finding& found, const Operands& operands, const View& reference,
                       const std::vector<ElementClass>& kinds, double widest) {
    double difference = 0, off = 0;
    std::uint64_t ulp = 0;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (kinds[i] == ElementClass::figure && std::isfinite(value_at(reference, i))) {
            difference = std::max(difference, distance_at(operands.ours, reference, i));
            off = std::max(off, distance_at(reference, operands.truth, i));
            ulp = std::max(ulp, ulp_at(operands.ours, reference, i));
        } else if (kinds[i] == ElementClass::figure) {
            difference = off = std::numeric_limits<double>::infinity();
        }
    }
    found.difference = difference;
    found.ulp = ulp;
    if (found.error) {
        found.reference_error = off;
        found.reference_further_off = off > *found.error && off > widest;
    }
    const std::size_t bytes = kinds.size() * size_of(reference.dtype);
    found.bit_equal =
        bytes == 0 || std::memcmp(operands.ours.data, reference.data, bytes) == 0;  // data may be null without elements
}

// The figures, and the verdict that follows from them.
void measure(Finding& found, const Operands& operands, const std::vector<ElementClass>& kinds) {
    const TooWide too_wide = operands.options.too_wide;
    const Extremes extremes = extremes_of(operands, kinds);
    const auto limit = [&](std::size_t i) { return limit_at(operands.limits, i); };
    std::size_t worst = 0;
    auto most = std::tuple(false, false, 0.0, 0.0);
    bool ok = true, undecided = false;
    double error = 0;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (kinds[i] != ElementClass::figure) {
            continue;
        }
        const Share share = share_of(distance_at(operands.ours, operands.truth, i), limit(i), extremes, too_wide);
        error = std::max(error, share.error);
        ok = ok && share.fits;
        undecided = undecided || (too_wide != TooWide::decides && !is_informative(extremes, limit(i)));
        if (share.rank() > most) {
            most = share.rank();
            worst = i;
        }
    }
    found.scale = extremes.scale;
    found.used = std::get<2>(most);
    found.catches = extremes.scale > 0 ? 2 * extremes.widest / extremes.scale : 0;
    if (operands.right != nullptr) {
        found.error = error;
    }
    bool exact = ok && !undecided && error == 0;
    if (operands.reference != nullptr) {
        measure_reference(found, operands, *operands.reference, kinds, extremes.widest);
        exact = found.bit_equal;
    }
    found.verdict = exact ? Verdict::exact : !ok ? Verdict::mismatch : undecided ? Verdict::undecided : Verdict::within;
    if (std::ranges::any_of(kinds, [](ElementClass kind) { return kind != ElementClass::same; })) {
        found.worst = operands.element(worst);
        found.limit = share_of(0, limit(worst), extremes, too_wide).limit;
        found.around = agrees(found.verdict) ? std::vector<Neighbour>() : operands.around(worst);
    }
}

// Whether agreement could be coincidental. `whole`: nothing is out of range.
bool is_vacuous(const Operands& operands, bool whole) {
    const View& other = operands.reference != nullptr ? *operands.reference : operands.truth;
    switch (operands.options.vacuous) {
        case Vacuous::never:
            return false;
        case Vacuous::all_zero:
            return whole && all_zero(operands.ours) && all_zero(other);
        case Vacuous::constant:
            return is_constant(operands.ours) && is_constant(other);
    }
    return false;
}

}  // namespace

Extremes extremes_of(const View& right, std::span<const double> limits) {
    return extremes_over(right, limits, [&](std::size_t i) {
        return std::isfinite(value_at(right, i)) && std::isfinite(limit_at(limits, i));
    });
}

Share share_of(double error, double limit, const Extremes& extremes, TooWide too_wide) {
    const bool decides = too_wide != TooWide::held_to_widest || is_informative(extremes, limit);
    const double held = decides ? limit : extremes.widest;
    return {error, held, error == 0 ? 0 : error / held, error <= held, decides};
}

Finding judge(const View& ours, const View* right, const View* reference, std::span<const double> limits,
              const JudgeOptions& options) {
    Finding found;
    found.shape = ours.shape;
    const View* truth = right != nullptr ? right : reference;
    if (truth == nullptr) {
        return found;
    }
    const Operands operands{ours, right, reference, *truth, limits, options};
    if (!operands.comparable()) {
        found.verdict = Verdict::shape;
        return found;
    }
    std::vector<ElementClass> kinds(count(ours.shape));
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        kinds[i] = operands.kind(i);
    }
    const auto first = [&](ElementClass kind) {
        const auto place = std::ranges::find(kinds, kind);
        return place != kinds.end() ? std::optional(static_cast<std::size_t>(place - kinds.begin())) : std::nullopt;
    };
    const auto point = [&](Verdict verdict, std::size_t position) {
        found.verdict = verdict;
        found.worst = operands.element(position);
        found.limit = limit_at(limits, position);
        found.around = operands.around(position);
    };
    const auto unwritten = first(ElementClass::unwritten), bad = first(ElementClass::non_finite),
               out = first(ElementClass::out_of_range);
    if (reference == nullptr || (!unwritten && !bad)) {
        measure(found, operands, kinds);
    }
    if (unwritten) {
        point(Verdict::unwritten, *unwritten);
    } else if (bad) {
        point(Verdict::non_finite, *bad);
    } else if (found.verdict == Verdict::mismatch) {
        return found;  // stays a mismatch, whatever else applies
    } else if (is_vacuous(operands, !out)) {
        found.verdict = Verdict::vacuous;
    } else if (out) {
        point(Verdict::out_of_range, *out);
    }
    return found;
}

double larger(double a, double b) {
    return b <= a || std::isnan(a) ? a : b;
}

double largest_difference(const View& a, const View& b) {
    double largest = 0;
    for (std::size_t i = 0; i < count(a.shape); ++i) {
        largest = larger(largest, std::abs(value_at(a, i) - value_at(b, i)));
    }
    return largest;
}

std::uint64_t ulp_distance(double a, double b, DType dtype) {
    return is_integer(dtype) ? distance(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b))
                             : distance(rank(a, dtype), rank(b, dtype));
}

std::string to_string(Verdict verdict) {
    constexpr std::array kNames = {
        "exact",     "within",  "zero within rounding", "mismatch",  "less accurate", "non-finite", "shape", "missing",
        "unwritten", "vacuous", "out-of-range",         "undecided", "not-given"};
    static_assert(kNames.size() == static_cast<std::size_t>(Verdict::not_given) + 1);
    return kNames.at(static_cast<std::size_t>(verdict));
}

bool agrees(Verdict verdict) {
    return verdict == Verdict::exact || verdict == Verdict::within || verdict == Verdict::zero_within_rounding;
}

bool contradicts(Verdict verdict) {
    return !agrees(verdict) && verdict != Verdict::undecided && verdict != Verdict::not_given;
}

bool shows_nothing(Verdict verdict) {
    return std::ranges::find(kShowNothing, verdict) != kShowNothing.end();
}

bool fails(Verdict verdict) {
    return contradicts(verdict) && !shows_nothing(verdict);
}

}  // namespace byhand
