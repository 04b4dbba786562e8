// What checks have shown, as a report.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "byhand/report.h"
#include "byhand/view.h"
#include "harness/isolated/hints.h"
#include "harness/isolated/trial.h"
#include "report/document.h"

namespace byhand {

// One tensor in one type, over all the inputs on which it was computed.
struct Checked {
    std::string name;  // of the tensor: "dx"
    Shape shape;
    DType type = DType::float32;
    std::size_t trials = 0;
    std::size_t out_of_range =
        0;              // trials with elements that are not compared: no right value, or beyond float's range
    std::string reads;  // shapes of the inputs of the trial: "(7, 27), (27)"; may be empty
    Trial trial;        // the first that fails; else the one whose error takes the largest share of its limit
    // Trials of a kernel that fail, and the kinds of their inputs, each once.
    std::size_t off = 0;
    std::vector<std::string> off_on = {};  // NOLINT(readability-redundant-member-init): optional
};

// With its mark.
Cell verdict_cell(Verdict verdict);

// The element, both values and the limit; or what the kernel has done: "dx[18, 71] is 0.25, but 0.5 is right: off by
// …".
std::string figures_of(const Checked& one);

// For hints: n is the first extent of the shape.
std::vector<Extent> extents_of(const Shape& shape);

// The report's text without the name at its beginning, which Catch2 puts before it.
std::string text_after(const std::string& name, const Report& report);

// `subject` is what was checked, a kernel or a tensor, and `place` its place in a source file, or empty. It agrees if
// no trial fails, and at least one agrees of each tensor in each type.
Report report_of(const std::string& subject, const std::string& place, const std::vector<Checked>& all);

}  // namespace byhand
