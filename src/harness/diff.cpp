#include "harness/diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace byhand {
namespace {

std::string name_of(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return "F32";
        case DType::float64:
            return "F64";
        case DType::int64:
            return "I64";
    }
    return "unknown";
}

bool same_bits(const View& a, const View& b, std::size_t position) {
    const std::size_t size = size_of(a.dtype), offset = position * size;
    return std::memcmp(static_cast<const char*>(a.data) + offset, static_cast<const char*>(b.data) + offset, size) == 0;
}

struct Distance {
    double size = 0;
    std::uint64_t ulp = 0;
};

// Of two finite elements of one type.
Distance distance(const View& a, const View& b, std::size_t position) {
    if (a.dtype == DType::int64) {  // double would not tell large ones apart
        const std::int64_t first = static_cast<const std::int64_t*>(a.data)[position];
        const std::int64_t second = static_cast<const std::int64_t*>(b.data)[position];
        const auto low = static_cast<std::uint64_t>(std::min(first, second));
        const auto high = static_cast<std::uint64_t>(std::max(first, second));
        return {static_cast<double>(high - low), high - low};
    }
    const double first = value_at(a, position), second = value_at(b, position);
    return {std::abs(first - second), ulp_distance(first, second, a.dtype)};
}

// Both are of one shape and type.
void measure(DiffedTensor& result, const View& a, const View& b, double limit) {
    double largest = 0, scale = 0;
    std::uint64_t ulp = 0;
    std::size_t not_finite = 0;
    for (std::size_t i = 0; i < count(a.shape); ++i) {
        const DiffedElement element{i, value_at(a, i), value_at(b, i)};
        const bool finite = std::isfinite(element.a) && std::isfinite(element.b), same = same_bits(a, b, i);
        if (!finite && !same) {
            result.verdict = Verdict::non_finite;
            result.worst = element;
            return;
        }
        if (!finite) {
            ++not_finite;
            continue;
        }
        scale = std::max({scale, std::abs(element.a), std::abs(element.b)});
        if (!same) {
            const Distance apart = distance(a, b, i);
            if (!result.worst || apart.size > largest) {
                result.worst = element;
            }
            largest = std::max(largest, apart.size);
            ulp = std::max(ulp, apart.ulp);
        }
    }
    result.max_abs_diff = largest;
    result.max_ulp = ulp;
    result.scale = scale;
    result.verdict = !result.worst ? Verdict::exact : largest <= limit ? Verdict::within : Verdict::mismatch;
    if (not_finite > 0) {
        result.note = "not finite, and the same in both: " + std::to_string(not_finite);
    }
}

DiffedTensor compared(const View& a, const View& b, double limit) {
    DiffedTensor result;
    result.name = a.name;
    result.shape = a.shape;
    result.verdict = Verdict::shape;
    if (a.shape != b.shape) {
        result.note = to_string(a.shape) + " in A, " + to_string(b.shape) + " in B";
    } else if (a.dtype != b.dtype) {
        result.note = name_of(a.dtype) + " in A, " + name_of(b.dtype) + " in B";
    } else {
        measure(result, a, b, limit);
    }
    return result;
}

DiffedTensor alone(const View& view, const std::string& file) {
    DiffedTensor result;
    result.name = view.name;
    result.shape = view.shape;
    result.note = "only in " + file;
    return result;
}

// Files of other people may hold many thousands.
std::map<std::string_view, const View*> by_name(const std::vector<View>& views) {
    std::map<std::string_view, const View*> all;
    for (const View& view : views) {
        all.emplace(view.name, &view);
    }
    return all;
}

}  // namespace

Diff diff(const std::string& a, const std::vector<View>& of_a, const std::string& b, const std::vector<View>& of_b,
          double limit) {
    Diff diff{a, b, limit, {}};
    const auto in_a = by_name(of_a), in_b = by_name(of_b);
    for (const View& view : of_a) {
        const auto other = in_b.find(view.name);
        diff.tensors.push_back(other == in_b.end() ? alone(view, "A") : compared(view, *other->second, limit));
    }
    for (const View& view : of_b) {
        if (!in_a.contains(view.name)) {
            diff.tensors.push_back(alone(view, "B"));
        }
    }
    return diff;
}

std::size_t differing(const Diff& diff) {
    return static_cast<std::size_t>(
        std::ranges::count_if(diff.tensors, [](const DiffedTensor& tensor) { return !agrees(tensor.verdict); }));
}

bool agree(const Diff& diff) {
    return differing(diff) == 0;
}

}  // namespace byhand
