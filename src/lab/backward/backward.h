// Notes 1 and 5: three derivations of batch norm's backward by hand, how exact they are and how fast.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct BackwardOptions {
    Seeds seeds{.first = 1, .count = 9};                    // of the data on which the errors are found
    std::vector<std::size_t> rows = {8, 128, 2048, 65536};  // the shapes that are timed: all pairs
    std::vector<std::size_t> columns = {16, 100, 256, 1024};
    std::size_t rounds = 51;  // at most, for each shape, type and divisor; fewer where they take longer
    // Bytes of the processor's data caches, the smallest first; empty where they are not known.
    std::vector<std::size_t> caches = {};  // NOLINT(readability-redundant-member-init)
};

// Throws InputError where a shape has less than two rows, no column, or too many elements, or there are none.
Document backward(const BackwardOptions& options, const Setting& setting);

}  // namespace byhand::lab
