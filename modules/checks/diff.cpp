#include "checks/diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>

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
        default:
            return "unknown";
    }
}

DiffedTensor compared(const View& a, const View& b, double limit) {
    DiffedTensor result{
        judge(a, nullptr, &b, std::span(&limit, 1), {.needs_no_limit = NeedsNoLimit::same_bits, .scale_of_both = true}),
        a.name};
    if (result.verdict == Verdict::shape) {
        result.note = a.shape != b.shape ? to_string(a.shape) + " in A, " + to_string(b.shape) + " in B"
                                         : name_of(a.dtype) + " in A, " + name_of(b.dtype) + " in B";
    } else if (result.verdict != Verdict::non_finite) {
        std::size_t not_finite = 0;
        for (std::size_t i = 0; i < count(a.shape); ++i) {
            not_finite += std::isfinite(value_at(a, i)) ? 0 : 1;
        }
        result.note = not_finite > 0 ? "not finite, and the same in both: " + std::to_string(not_finite) : "";
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
