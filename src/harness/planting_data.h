// Tools for mistakes that show only on some data: the right function on changed operands, or its result changed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "harness/planting.h"

namespace byhand::planting {

// An element, and its place.
using Change = std::function<float(float x, std::size_t i)>;
// The same, and what the step read.
using ChangeByReads = std::function<float(float x, std::size_t i, Reads reads)>;

// The right result, each element changed.
inline bool makes_changed(Step& step, ChangeByReads change) {
    return then(step, [change = std::move(change), elements = count(step.shape)](float* out, Reads reads) {
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = change(out[i], i, reads);
        }
    });
}
inline bool makes_changed(Step& step, Change change) {
    return makes_changed(step, [change = std::move(change)](float x, std::size_t i, Reads) { return change(x, i); });
}

// The right function of operands of which the one at `position`, of so many elements, is changed.
inline bool reads_changed(Step& step, std::size_t position, std::size_t elements, Change change) {
    return instead(
        step, [right = step.in_float.run, change = std::move(change), position, elements](float* out, Reads reads) {
            std::vector<float> changed(numbers(reads, position), numbers(reads, position) + elements);
            for (std::size_t i = 0; i < elements; ++i) {
                changed[i] = change(changed[i], i);
            }
            std::vector<Operand<float>> operands(reads.begin(), reads.end());
            operands[position] = static_cast<const float*>(changed.data());
            right(out, operands);
        });
}

// The same of indices.
inline bool indices_changed(Step& step, std::size_t position, std::size_t elements,
                            std::int64_t (*change)(std::int64_t)) {
    return instead(step, [right = step.in_float.run, change, position, elements](float* out, Reads reads) {
        std::vector<std::int64_t> changed(indices(reads, position), indices(reads, position) + elements);
        for (std::int64_t& index : changed) {
            index = change(index);
        }
        std::vector<Operand<float>> operands(reads.begin(), reads.end());
        operands[position] = static_cast<const std::int64_t*>(changed.data());
        right(out, operands);
    });
}

// The operand at `position`, `rows` rows as wide as the result, with 0 in the rows from `first` on.
inline bool rows_left_out(Step& step, std::size_t position, std::size_t rows, std::size_t first) {
    const std::size_t columns = width(step);
    return reads_changed(step, position, rows * columns,
                         [columns, first](float x, std::size_t i) { return i / columns < first ? x : 0.0F; });
}

// The right result, but where `leaves_out` holds: those elements are not written.
inline bool unwritten_where(Step& step, std::function<bool(std::size_t i)> leaves_out) {
    return instead(step, [right = step.in_float.run, leaves_out = std::move(leaves_out), elements = count(step.shape)](
                             float* out, Reads reads) {
        std::vector<float> all(elements);
        right(all.data(), reads);
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = leaves_out(i) ? out[i] : all[i];
        }
    });
}

// Half precision has no larger finite number than 65504; its rounding is left out.
inline float through_half(float x) {
    return std::abs(x) > 65504 ? std::copysign(std::numeric_limits<float>::infinity(), x) : x;
}

inline bool makes_through_half(Step& step) {
    return makes_changed(step, [](float x, std::size_t) { return through_half(x); });
}

// The right result within ±most.
inline bool makes_clipped(Step& step, float most) {
    return makes_changed(step, [most](float x, std::size_t) { return std::clamp(x, -most, most); });
}

// What is made, or the operand at `position`, no lower than `least`.
inline bool makes_at_least(Step& step, float least) {
    return makes_changed(step, [least](float x, std::size_t) { return std::max(x, least); });
}
inline bool reads_at_least(Step& step, std::size_t position, std::size_t elements, float least) {
    return reads_changed(step, position, elements, [least](float x, std::size_t) { return std::max(x, least); });
}

}  // namespace byhand::planting
