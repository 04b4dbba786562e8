// Compares two files of tensors, A and B, in the order of computation. There is nothing to derive a limit from: the
// user sets one.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/files/tensor_source.h"
#include "judge/finding.h"

namespace byhand {

// How far an element may be from that in B: the sum of the three.
struct DiffLimit {
    double absolute = 0;
    double relative = 0;  // of the largest finite magnitude in B's tensor
    double ulp = 0;       // times the distance of two numbers next to B's element, in the coarser type of the two
};
// "1e-6", "1e-5rel", "4ulp", or several with + between them. Throws InputError.
DiffLimit diff_limit(const std::string& text);
std::string to_string(const DiffLimit& limit);

// A pair of names, or a regular expression (ECMAScript) that matches a whole name of A and B's name with $1 for what a
// group has matched.
struct Renaming {
    std::string of_a, of_b;
};

struct DiffConfig {
    DiffLimit limit = {};
    std::vector<Renaming> renamings = {};  // the first that fits counts
    std::vector<std::string> order = {};   // names of A in the order of computation; others follow as in the file
    // Of a name of A, whether B's tensor is transposed; empty: of none.
    std::function<bool(const std::string& name)> transposes = {};
    // Called with the number of elements that have been compared since the last call.
    std::function<void(std::size_t elements)> progress = [](std::size_t /*elements*/) {};
};

// `ours` are A's numbers and the reference's B's; the scale is the largest finite magnitude in either. There is no
// worst element where nothing differs, and there are no figures where one file lacks the tensor, shapes differ, a type
// can't be read or only one of the two has whole numbers: then `note` says "only in A", or "(3, 2) in A, (3) in B".
// Figures of two types of floats are those of their values. The shape is that in A, or in B where A lacks it. The
// verdict is exact, within, mismatch, non_finite, shape or missing.
struct DiffedTensor : Finding {
    std::string name;                     // in A, or in B where A lacks it
    std::string type;                     // likewise; "F32 | BF16" where B has another
    std::optional<double> relative = {};  // the largest difference over B's largest magnitude
    std::optional<double> cosine = {};    // of A and B as vectors
    // The differences (root mean square) over the errors of rounding each number of B once to the coarser type. Not of
    // whole numbers.
    std::optional<double> roundings = {};
};

// Two tensors of different names, or shapes, that fit each other.
struct Proposal {
    std::string of_a, of_b;
    bool transposed = false;
    std::optional<double> apart = {};  // the largest difference over B's largest magnitude, if it was measured
};

struct Diff {
    std::string a, b;  // what the files are called
    DiffLimit limit = {};
    std::vector<DiffedTensor> tensors = {};
    std::vector<Proposal> proposals = {};
};

// Every tensor of either: those of A in their order, then what only B has. An element does not differ from one of the
// same bits, be it a NaN; a NaN or an infinity differs from all else by more than any limit. Whole numbers are
// subtracted as such. Tensors are read in pieces, a transposed one as a whole. Throws InputError for a regular
// expression that can't be parsed, for names of A that become one name of B, and as the files do.
Diff diff(const std::string& a, const TensorSources& of_a, const std::string& b, const TensorSources& of_b,
          const DiffConfig& config);

// How many tensors differ by more than the limit, or in more than figures.
std::size_t differing(const Diff& diff);

bool agree(const Diff& diff);

// The first tensor, in order, that differs by more than the limit in figures, or null.
const DiffedTensor* first_divergence(const Diff& diff);

// The first tensor whose differences, in roundings, are at least 30 times those of all before it, and that factor:
// where an error begins, if what differs before it is rounding. Null if there is none.
std::pair<const DiffedTensor*, double> first_jump(const Diff& diff);

// ---- For diff alone ----

// Of two tensors of one shape, whose types are known.
DiffedTensor compared(const TensorSource& a, const TensorSource& b, const DiffConfig& config);

// For tensors that only one file has, or whose shapes differ.
std::vector<Proposal> proposals(const std::vector<const TensorSource*>& of_a,
                                const std::vector<const TensorSource*>& of_b);

}  // namespace byhand
