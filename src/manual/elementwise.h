// Elementwise operations, y = f(x): code common to their steps.
#pragma once

#include <string>
#include <string_view>

#include "byhand/rounded.h"
#include "manual/operation.h"

namespace byhand {

// y = f(x) by f(y, x, count), passed as BYHAND_FUNCTION(f).
template <class... Function>
AppendSteps elementwise(Function... function) {
    return [=](StepList& f, const Site& at) { add(f, at.y(), at.wide(), {at.x()}, function..., count(at.wide())); };
}

// dx by f(dx, dy, read, count): `read` is the result, &Site::y, or the input, &Site::x.
template <class... Function>
AppendSteps elementwise_backward(const std::string& (Site::*read)() const, Function... function) {
    return [=](StepList& b, const Site& at) {
        add(b, at.dx(), at.wide(), {at.dy(), (at.*read)()}, function..., count(at.wide()));
    };
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
