// Why the one form is faster than the other: what the formulas count, beside what the clock says.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/network.h"
#include "lab/backward/backward.h"
#include "lab/backward/speed.h"
#include "report/document.h"

namespace byhand::lab {

inline constexpr std::size_t kStepsArrays = 5;  // dbnraw, bndiff, dbndiff2, dbndiff, dx

// One shape in one type by one divisor.
struct Timing {
    std::size_t rows = 0, columns = 0;
    std::size_t size = 0;  // bytes of a number
    Divisor divisor = Divisor::n;
    std::size_t rounds = 0;
    double max_difference = 0;
    Speedup over_steps, over_chain;  // of the one line

    const char* type() const { return size == sizeof(float) ? "float" : "double"; }
    std::size_t set() const { return kStepsArrays * rows * columns * size; }
};

// "48 KiB"
std::string bytes(std::size_t count);

void tell_why(Document& document, const BackwardOptions& options, const std::vector<Timing>& timings);

}  // namespace byhand::lab
