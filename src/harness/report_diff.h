// Two files of tensors beside each other, by name. There is nothing to derive a limit from: whoever asks types one in.
#pragma once

#include <string>
#include <vector>

#include "harness/compare.h"
#include "harness/report.h"

namespace byhand {

struct Diff {
    std::string a, b;  // what the files are called
    double limit = 0;
    std::vector<TensorResult> tensors;  // `manual` is of a, `torch` of b
};

// Every tensor of either, those of a first, in their order.
Diff diff(const std::string& a, const std::vector<View>& of_a, const std::string& b, const std::vector<View>& of_b,
          double limit);

// Whether no tensor differs by more than the limit, and both have the same ones.
bool agree(const Diff& diff);

// A row a tensor, those that differ first; then the verdict on the whole.
std::string diff_table(const Diff& diff, const Presentation& how);
// {"verdict","a","b","limit","tensors":[{"name","shape","count","bit_equal","max_abs_diff","max_ulp","scale","worst",
// "note","verdict"}]}
std::string diff_json(const Diff& diff, const Presentation& how);
std::string diff_csv(const Diff& diff, const Presentation& how);
std::string diff_junit(const Diff& diff, const Presentation& how);

}  // namespace byhand
