// Compares two files of tensors, A and B, by name. There is nothing to derive a limit from: the user sets one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "byhand/view.h"
#include "judge/finding.h"

namespace byhand {

// `ours` are A's numbers and the reference's B's; the scale is the largest finite magnitude in either. There is no
// worst element where nothing differs, and there are no figures where one file lacks the tensor or shapes or types
// differ: then `note` says "only in A", or "(3, 2) in A, (3) in B". The shape is that in A, or in B where A lacks it.
// The verdict is exact, within, mismatch, non_finite, shape or missing.
struct DiffedTensor : Finding {
    std::string name;
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
