// Two files of tensors, A and B, beside each other by name. Nothing is known to derive a limit from: whoever asks types
// one in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/view.h"
#include "harness/compare.h"

namespace byhand {

struct DiffedElement {
    std::size_t position = 0;
    double a = 0;
    double b = 0;
};

// What is not known is empty: the figures of a tensor that one file does not have, or that differs in more than
// figures.
struct DiffedTensor {
    std::string name;
    Shape shape;                         // in A, or in B where A has none
    std::string note;                    // what there is to say besides figures: "only in A", "(3, 2) in A, (3) in B"
    std::optional<double> max_abs_diff;  // the largest |a − b|
    std::optional<std::uint64_t> max_ulp;
    std::optional<double> scale;  // the largest finite magnitude in either
    std::optional<DiffedElement>
        worst;  // the furthest apart, or the first that is not finite; none where nothing differs
    // exact, within, mismatch, non_finite, shape or missing.
    Verdict verdict = Verdict::missing;
};

struct Diff {
    std::string a, b;  // what the files are called
    double limit = 0;
    std::vector<DiffedTensor> tensors;
};

// Every tensor of either: those of A in their order, then what only B has. An element does not differ from one of the
// same bits, be it a NaN; a NaN or an infinity differs from all else by more than any limit. Whole numbers are
// subtracted as such.
Diff diff(const std::string& a, const std::vector<View>& of_a, const std::string& b, const std::vector<View>& of_b,
          double limit);

// How many tensors differ by more than the limit, or in more than figures.
std::size_t differing(const Diff& diff);

bool agree(const Diff& diff);

}  // namespace byhand
