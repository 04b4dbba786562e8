// What checks have shown, as a report.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
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
    // Trials with elements that are not compared: no right value, or beyond float's range.
    std::size_t out_of_range = 0;
    std::string reads = {};  // shapes of the inputs of the trial: "(7, 27), (27)"; may be empty
    Trial trial = {};        // the first that fails; else the one whose error takes the largest share of its limit
    // Of shapes beside those that were given: then `shape` and `reads` are those of the trial.
    bool is_beside = false;
    // The largest finite error of a trial that fails, over the largest number of its inputs and right values, or over 1
    // if that is larger; ∞ if it fails by something other than its numbers.
    double share = 0;
    double share_of_largest = 0;  // the same, over the largest number
    // Trials in double that fail, or whose inputs fail in float: with errors of amplified rounding, and with others.
    std::size_t amplified = 0, not_amplified = 0;
    // The largest number in the inputs of each trial that agrees, and the smallest such of those that fail.
    std::vector<double> agrees_at = {};
    double fails_from = std::numeric_limits<double>::infinity();
    // The smallest of those whose trials have a NaN or an infinity where the right value is finite.
    double non_finite_from = std::numeric_limits<double>::infinity();
    // Trials of a kernel that fail, and the kinds of their inputs, each once.
    std::size_t off = 0;
    std::vector<std::string> off_on = {};
    // Trials in which the reference is the less accurate one, and an element of one: "y[3] is …, but 0 by the
    // reference".
    std::size_t reference_off = 0;
    std::string off_reference = {};
    // That belong to the worst element of the trial: "x[3, 0] = 1.5".
    std::string inputs = {};
    // In how many of the trials that fail each hint was found.
    std::map<std::string, std::size_t> hints = {};
};

// With its mark.
Cell verdict_cell(Verdict verdict);

// For hints: n is the first extent of the shape.
std::vector<Extent> extents_of(const Shape& shape);

// The report's text without the name at its beginning, which Catch2 puts before it.
std::string text_after(const std::string& name, const Report& report);

// `subject` is what was checked, a kernel or a tensor, and `place` its place in a source file, or empty. It agrees if
// no trial fails, and at least one agrees of each tensor in each type. `beside` lists the extents that were tried
// beside those that were given: "6 and 8 for 7"; may be empty.
// `notes` are sentences below the verdict.
Report report_of(const std::string& subject, const std::string& place, const std::vector<Checked>& all,
                 const std::string& beside = "", const std::vector<std::string>& notes = {});

}  // namespace byhand
