// Elementwise operations, y = f(x): code common to their steps.
#pragma once

#include <string>
#include <string_view>

#include "byhand/rounded.h"
#include "manual/operation.h"

namespace byhand {

// y = f(x) by f(y, x, count), passed as BYHAND_FUNCTION(f).
template <class... Function>
void add_elementwise(StepList& f, const Site& at, Function... function) {
    add(f, at.y(), at.wide(), {at.x()}, function..., count(at.wide()));
}

// dx by f(dx, dy, read, count): `read` is the result or the input.
template <class... Function>
void add_elementwise_backward(StepList& b, const Site& at, const std::string& read, Function... function) {
    add(b, at.dx(), at.wide(), {at.dy(), read}, function..., count(at.wide()));
}

// The single glossary row of an activation: that of hpreact.
inline GlossaryRow hpreact_row(std::string_view rule) {
    return {.value = "hpreact",
            .axes = {Axis::row, Axis::unit},
            .meaning = "what the layer hands to its non-linearity",
            .symbol = "HZ",
            .rule = rule};
}

}  // namespace byhand
