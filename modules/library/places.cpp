#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>

#include "library/kernel_inputs.h"

namespace byhand {
namespace {

constexpr int kLowest = -6, kHighest = 8, kEachOctave = 2;  // of the numbers that are tried first

std::vector<double> tried() {
    std::vector<double> all;
    for (int i = kLowest * kEachOctave; i <= kHighest * kEachOctave; ++i) {
        const double x = std::exp2((i + 0.3) / kEachOctave);  // off the round numbers at which functions decide
        all.push_back(x);
        all.push_back(-x);
    }
    std::ranges::sort(all);
    return all;
}

// An interval, the function's values at its ends and between them.
struct Interval {
    double low = 0, high = 0;
    std::vector<double> at_low, at_middle, at_high;
    double bend = 0;  // the largest distance of a value between from the straight line
    double size = 0;  // the largest value there

    // Not half-way: a kink that is there would be lost.
    double middle() const { return low + kFirst * (high - low); }
    static constexpr double kFirst = 0.43;
};

Interval interval_of(const OfOneNumber& f, double low, double high, std::vector<double> at_low,
                     std::vector<double> at_high) {
    Interval made{low, high, std::move(at_low), {}, std::move(at_high)};
    made.at_middle = f(made.middle());
    for (std::size_t i = 0; i < made.at_middle.size(); ++i) {
        const double line = made.at_low[i] + Interval::kFirst * (made.at_high[i] - made.at_low[i]);
        const double bend = std::abs(made.at_middle[i] - line);
        if (std::isfinite(bend)) {
            made.bend = std::max(made.bend, bend);
            made.size = std::max({made.size, std::abs(made.at_low[i]), std::abs(made.at_high[i])});
        }
    }
    return made;
}

// The part that bends more.
Interval part_of(const OfOneNumber& f, const Interval& whole) {
    const Interval low = interval_of(f, whole.low, whole.middle(), whole.at_low, whole.at_middle);
    const Interval high = interval_of(f, whole.middle(), whole.high, whole.at_middle, whole.at_high);
    return low.bend > high.bend ? low : high;
}

// More than double's rounding of values of this size.
bool bends(const Interval& interval, double size) {
    return interval.bend > 0x1p-40 * size;
}

// A part of the interval in which f may jump or bend. After n divisions a curve bends by 0.32ⁿ of the whole at the
// most, a kink by about 0.5ⁿ, or by less after one that is close to it.
std::optional<Interval> candidate_in(const OfOneNumber& f, const Interval& whole) {
    constexpr std::size_t kLeast = 5, kMost = 7;
    Interval part = whole;
    for (std::size_t n = 1; n <= kMost; ++n) {
        if (!bends(part, whole.size)) {
            return {};
        }
        part = part_of(f, part);
        if (n >= kLeast && part.bend > 0.16 * std::pow(0.5, n) * whole.bend && bends(part, whole.size)) {
            part.size = whole.size;
            return part;
        }
    }
    return {};
}

// The float of the interval at which f jumps or bends; NaN if it is smooth: then what is left of the bend falls below
// rounding before the interval is as short as a float's last place.
float place_in(const OfOneNumber& f, Interval interval) {
    constexpr double kLeast = 0x1p-6;
    const double size = interval.size;
    while (interval.high - interval.low > 0x1p-27 * std::max(std::abs(interval.low), kLeast)) {
        interval = part_of(f, interval);
        if (!bends(interval, size)) {
            return NAN;
        }
    }
    return interval.low <= 0 && interval.high >= 0 ? 0 : static_cast<float>(interval.low / 2 + interval.high / 2);
}

}  // namespace

std::vector<float> places_of(const OfOneNumber& f, std::size_t most) {
    const std::vector<double> numbers = tried();
    std::vector<std::vector<double>> values;
    std::ranges::transform(numbers, std::back_inserter(values), f);
    std::vector<Interval> candidates;
    for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
        if (const auto candidate =
                candidate_in(f, interval_of(f, numbers[i], numbers[i + 1], values[i], values[i + 1]))) {
            candidates.push_back(*candidate);
        }
    }
    std::vector<float> places;
    const std::size_t taken = std::min(most, candidates.size());
    for (std::size_t i = 0; i < taken; ++i) {
        const float place = place_in(f, candidates[i * candidates.size() / taken]);
        if (std::isfinite(place) && std::ranges::find(places, place) == places.end()) {
            places.push_back(place);
        }
    }
    return places;
}

std::vector<double> numbers_at(const std::vector<float>& places, std::vector<double> numbers, std::size_t from) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i % 3 != 2) {
            const float place = places[from / 3 % places.size()];
            const float beside[] = {place, std::nextafter(place, 1e3F), std::nextafter(place, -1e3F)};
            numbers[i] = beside[from++ % 3];
        }
    }
    return numbers;
}

}  // namespace byhand
