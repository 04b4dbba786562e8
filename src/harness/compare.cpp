#include "harness/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/tensors.h"

namespace byhand {
namespace {

// The number's place in the order of all numbers of its type: neighbours differ by 1, and ±0 are both 0.
std::int64_t rank(double value, DType dtype) {
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

bool all_zero(const View& view) {
    const std::size_t elements = count(view.shape);
    for (std::size_t i = 0; i < elements; ++i) {
        if (value_at(view, i) != 0) {
            return false;
        }
    }
    return true;
}

Worst worst_at(std::size_t position, const View& manual, const View& torch, const View* oracle) {
    Worst worst{position, value_at(manual, position), value_at(torch, position), std::nullopt};
    if (oracle != nullptr && oracle->shape == manual.shape) {
        worst.oracle = value_at(*oracle, position);
    }
    return worst;
}

// The figures of two finite tensors of one shape and type.
void measure(TensorResult& result, const View& manual, const View& torch, const View* oracle) {
    const std::size_t elements = count(manual.shape);
    double largest = 0;
    std::size_t worst = 0;
    std::uint64_t ulp = 0;
    for (std::size_t i = 0; i < elements; ++i) {
        const double ours = value_at(manual, i), theirs = value_at(torch, i);
        const double difference = std::abs(ours - theirs);
        if (difference > largest) {
            largest = difference;
            worst = i;
        }
        ulp = std::max(ulp, ulp_distance(ours, theirs, manual.dtype));
    }
    result.bit_equal = std::memcmp(manual.data, torch.data, elements * size_of(manual.dtype)) == 0;
    result.max_abs_diff = largest;
    result.max_ulp = ulp;
    if (elements > 0) {
        result.worst = worst_at(worst, manual, torch, oracle);
    }
    if (oracle != nullptr && oracle->shape == manual.shape) {
        result.error_manual = largest_difference(manual, *oracle);
        result.error_torch = largest_difference(torch, *oracle);
    }
}

}  // namespace

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
    }
    return "unknown";
}

bool agrees(Verdict verdict) {
    return verdict == Verdict::exact || verdict == Verdict::within;
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
                            double limit, AllZero when_all_zero) {
    TensorResult result;
    result.name = name;
    if (manual == nullptr || torch == nullptr) {
        const View* present = manual != nullptr ? manual : torch;
        result.shape = present != nullptr ? present->shape : Shape{};
        result.note = present == nullptr  ? "neither side has one"
                      : manual == nullptr ? "the hand-written side has none"
                                          : "LibTorch's side has none";
        return result;
    }
    result.shape = manual->shape;
    if (manual->shape != torch->shape || manual->dtype != torch->dtype) {
        result.verdict = Verdict::shape;
        result.note = manual->shape != torch->shape
                          ? to_string(manual->shape) + " against LibTorch's " + to_string(torch->shape)
                          : "element types differ";
        return result;
    }

    result.limit = limit;
    if (const auto position = first_of(*manual, *torch, unwritten_at)) {
        result.verdict = Verdict::unwritten;
        result.worst = worst_at(*position, *manual, *torch, oracle);
        return result;
    }
    const auto not_finite = [](const View& view, std::size_t i) { return !std::isfinite(value_at(view, i)); };
    if (const auto position = first_of(*manual, *torch, not_finite)) {
        result.verdict = Verdict::non_finite;
        result.worst = worst_at(*position, *manual, *torch, oracle);
        return result;
    }

    measure(result, *manual, *torch, oracle);
    if (when_all_zero == AllZero::vacuous && all_zero(*manual) && all_zero(*torch)) {
        result.verdict = Verdict::vacuous;
    } else if (result.bit_equal) {
        result.verdict = Verdict::exact;
    } else {
        const bool ok = *result.max_abs_diff <= limit;
        result.verdict = ok ? Verdict::within : Verdict::mismatch;
    }
    return result;
}

}  // namespace byhand
