#include "harness/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include "base/tensors.h"

namespace byhand {
namespace {

// The number's place in the order of all numbers of its type: neighbours differ by 1, and ±0 are both 0.
std::int64_t rank(double value, DType dtype) {
    if (dtype == DType::int64) {
        return static_cast<std::int64_t>(value);
    }
    if (dtype == DType::float32) {
        const auto bits = std::bit_cast<std::int32_t>(static_cast<float>(value));
        return bits >= 0 ? bits : std::int64_t{INT32_MIN} - bits;
    }
    const auto bits = std::bit_cast<std::int64_t>(value);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

bool unwritten_at(const View& view, std::size_t position) {
    switch (view.dtype) {
        case DType::float32:
            return is_unwritten(static_cast<const float*>(view.data) + position);
        case DType::float64:
            return is_unwritten(static_cast<const double*>(view.data) + position);
        case DType::int64:
            return false;
    }
    return false;
}

// The first position for which `bad` holds on either side.
template <class Predicate>
std::optional<std::size_t> first_of(const View& manual, const View& torch, Predicate bad) {
    const std::size_t elements = count(manual.shape);
    for (std::size_t i = 0; i < elements; ++i) {
        if (bad(manual, i) || bad(torch, i)) {
            return i;
        }
    }
    return std::nullopt;
}

// All zero, or all equal where there is more than one to a row. (One unit's figure, the same in every row of a batch,
// is what it should be.)
bool shows_nothing(const View& view) {
    const std::size_t elements = count(view.shape);
    const double first = elements > 0 ? value_at(view, 0) : 0;
    for (std::size_t i = 1; i < elements; ++i) {
        if (value_at(view, i) != first) {
            return false;
        }
    }
    return first == 0 || (elements > 1 && view.shape.back() > 1);
}

Worst worst_at(std::size_t position, const View& manual, const View& torch, const View* oracle) {
    Worst worst{position, value_at(manual, position), value_at(torch, position), std::nullopt};
    if (oracle != nullptr && oracle->shape == manual.shape) {
        worst.oracle = value_at(*oracle, position);
    }
    return worst;
}

constexpr std::size_t kBeside = 2;

std::vector<Neighbour> neighbours(std::size_t position, const View& manual, const View& torch) {
    const std::size_t width = manual.shape.empty() ? 1 : manual.shape.back();
    const std::size_t column = position % width;
    const std::size_t first = position - std::min(column, kBeside);
    const std::size_t last = position + std::min(width - 1 - column, kBeside);
    std::vector<Neighbour> beside;
    for (std::size_t i = first; i <= last; ++i) {
        beside.push_back({i, value_at(manual, i), value_at(torch, i)});
    }
    return beside;
}

// What lies between the three, at most.
struct Differences {
    double largest = 0;            // ours from theirs
    double manual = 0, torch = 0;  // from what is right
    std::uint64_t ulp = 0;

    // `ours` and `right` are finite.
    void take(double ours, double theirs, double right, DType dtype) {
        manual = std::max(manual, std::abs(ours - right));
        if (ours == theirs) {
            torch = std::max(torch, std::abs(theirs - right));
        } else if (std::isfinite(theirs)) {
            largest = std::max(largest, std::abs(ours - theirs));
            torch = std::max(torch, std::abs(theirs - right));
            ulp = std::max(ulp, ulp_distance(ours, theirs, dtype));
        } else {
            largest = torch = std::numeric_limits<double>::infinity();
        }
    }
};

Verdict verdict_of(bool bit_equal, bool ok, bool undecided) {
    if (bit_equal) {
        return Verdict::exact;
    }
    if (!ok) {
        return Verdict::mismatch;
    }
    return undecided ? Verdict::undecided : Verdict::within;
}

// The figures of two tensors of one shape and type, without the elements that are out of range; returns the first such.
std::optional<std::size_t> measure(TensorResult& result, const View& manual, const View& torch, const View* oracle,
                                   std::span<const double> limits) {
    const std::size_t elements = count(manual.shape);
    const bool has_oracle = oracle != nullptr && oracle->shape == manual.shape;
    const View& truth = has_oracle ? *oracle : torch;
    std::optional<std::size_t> out_of_range;
    const Yardstick yardstick = yardstick_of(truth, limits);
    Differences differences;
    std::size_t worst = 0;
    // Of the worst: whether it breaks its limit, whether that says anything, its share of it, its error.
    std::tuple<bool, bool, double, double> most;
    bool ok = true, undecided = false;
    for (std::size_t i = 0; i < elements; ++i) {
        const double ours = value_at(manual, i), right = value_at(truth, i), limit = limit_at(limits, i);
        if (!std::isfinite(limit) || !std::isfinite(right) || !std::isfinite(ours)) {
            out_of_range = out_of_range.value_or(i);
            continue;
        }
        const double error = std::abs(ours - right);
        differences.take(ours, value_at(torch, i), right, manual.dtype);
        const bool decides = says_something(yardstick, limit);
        const double most_allowed = held_to(yardstick, limit);
        const bool fits = error <= most_allowed;
        ok = ok && fits;
        undecided = undecided || !decides;
        // (Where there is no error to spare every share is endless: then the largest error is the worst.)
        const std::tuple rank(!fits, decides, error == 0 ? 0 : error / most_allowed, error);
        if (rank > most) {
            most = rank;
            worst = i;
        }
    }
    // Where there are no elements there may be no address either.
    result.bit_equal = elements == 0 || std::memcmp(manual.data, torch.data, elements * size_of(manual.dtype)) == 0;
    result.max_abs_diff = differences.largest;
    result.max_ulp = differences.ulp;
    result.scale = yardstick.scale;
    result.used = std::get<2>(most);
    if (has_oracle) {
        result.error_manual = differences.manual;
        result.error_torch = differences.torch;
        result.torch_further_off = differences.torch > differences.manual && differences.torch > yardstick.widest;
    }
    if (elements > 0) {
        result.worst = worst_at(worst, manual, torch, oracle);
        result.limit = held_to(yardstick, limit_at(limits, worst));
    }
    result.verdict = verdict_of(result.bit_equal, ok, undecided);
    if (result.worst && !agrees(result.verdict)) {
        result.around = neighbours(worst, manual, torch);
    }
    return out_of_range;
}

// Whether both are there, of one shape and type; if not, `result` says so.
bool comparable(TensorResult& result, const View* manual, const View* torch) {
    if (manual == nullptr || torch == nullptr) {
        const View* present = manual != nullptr ? manual : torch;
        result.shape = present != nullptr ? present->shape : Shape{};
        result.note = present == nullptr  ? "neither side has one"
                      : manual == nullptr ? "the hand-written side has none"
                                          : "LibTorch's side has none";
        return false;
    }
    result.shape = manual->shape;
    if (manual->shape != torch->shape || manual->dtype != torch->dtype) {
        result.verdict = Verdict::shape;
        result.note = manual->shape != torch->shape
                          ? to_string(manual->shape) + " against LibTorch's " + to_string(torch->shape)
                          : "element types differ";
        return false;
    }
    return true;
}

}  // namespace

Yardstick yardstick_of(const View& truth, std::span<const double> limits) {
    Yardstick yardstick;
    for (std::size_t i = 0; i < count(truth.shape); ++i) {
        const double magnitude = std::abs(value_at(truth, i)), limit = limit_at(limits, i);
        if (std::isfinite(magnitude) && std::isfinite(limit)) {
            yardstick.scale = std::max(yardstick.scale, magnitude);
            yardstick.widest = std::max(yardstick.widest, limit);
        }
    }
    return yardstick;
}

std::string to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::exact:
            return "exact";
        case Verdict::within:
            return "within";
        case Verdict::mismatch:
            return "mismatch";
        case Verdict::non_finite:
            return "non-finite";
        case Verdict::shape:
            return "shape";
        case Verdict::missing:
            return "missing";
        case Verdict::unwritten:
            return "unwritten";
        case Verdict::vacuous:
            return "vacuous";
        case Verdict::out_of_range:
            return "out-of-range";
        case Verdict::undecided:
            return "undecided";
        case Verdict::not_given:
            return "not-given";
    }
    return "unknown";
}

bool agrees(Verdict verdict) {
    return verdict == Verdict::exact || verdict == Verdict::within;
}

bool contradicts(Verdict verdict) {
    return !agrees(verdict) && verdict != Verdict::undecided && verdict != Verdict::not_given;
}

std::uint64_t ulp_distance(double a, double b, DType dtype) {
    const std::int64_t first = rank(a, dtype), second = rank(b, dtype);
    const auto [low, high] = std::minmax(first, second);
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
}

double largest_difference(const View& a, const View& b) {
    double largest = 0;
    for (std::size_t i = 0; i < count(a.shape); ++i) {
        const double difference = std::abs(value_at(a, i) - value_at(b, i));
        largest = difference <= largest || std::isnan(largest) ? largest : difference;  // a NaN stays
    }
    return largest;
}

TensorResult compare_tensor(const std::string& name, const View* manual, const View* torch, const View* oracle,
                            std::span<const double> limits, AllZero when_all_zero) {
    TensorResult result;
    result.name = name;
    if (!comparable(result, manual, torch)) {
        return result;
    }

    const auto fail_at = [&](Verdict verdict, std::size_t position) {
        result.verdict = verdict;
        result.worst = worst_at(position, *manual, *torch, oracle);
        result.limit = limit_at(limits, position);
        result.around = neighbours(position, *manual, *torch);
    };
    if (const auto position = first_of(*manual, *torch, unwritten_at)) {
        fail_at(Verdict::unwritten, *position);
        return result;
    }
    const bool has_oracle = oracle != nullptr && oracle->shape == manual->shape;
    const auto in_range = [&](std::size_t i) {
        return std::isfinite(limit_at(limits, i)) && (!has_oracle || std::isfinite(value_at(*oracle, i)));
    };
    // With an oracle a reference that is not finite is its own affair.
    const auto not_finite = [&](const View& view, std::size_t i) {
        return in_range(i) && (&view == manual || !has_oracle) && !std::isfinite(value_at(view, i));
    };
    if (const auto position = first_of(*manual, *torch, not_finite)) {
        fail_at(Verdict::non_finite, *position);
        return result;
    }

    const std::optional<std::size_t> out_of_range = measure(result, *manual, *torch, oracle, limits);
    if (result.verdict == Verdict::mismatch) {
        return result;  // whatever else it is, it is wrong
    }
    if (when_all_zero == AllZero::vacuous && shows_nothing(*manual) && shows_nothing(*torch)) {
        result.verdict = Verdict::vacuous;
    } else if (out_of_range) {
        fail_at(Verdict::out_of_range, *out_of_range);
    }
    return result;
}

}  // namespace byhand
