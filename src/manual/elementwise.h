// Operations on each number by itself, y = f(x): what their steps have in common.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "manual/operation.h"
#include "steps/rounded.h"

namespace byhand {

// y = f(x) by f(y, x, count), given as BYHAND_FUNCTION(f).
template <class... P, class... Q, class... R>
AppendSteps elementwise_forward(const char* name, void (*in_float)(float*, P...), void (*in_double)(double*, Q...),
                                void (*rounded)(Rounded*, R...)) {
    return [=](StepList& steps, const Site& at) {
        add(steps, at.y(), at.wide(), {at.x()}, name, in_float, in_double, rounded, count(at.wide()));
    };
}

// dx by f(dx, dy, read, count), where f reads the result or the input.
enum class SlopeBy { result, input };

template <class... P, class... Q, class... R>
AppendSteps elementwise_backward(SlopeBy by, const char* name, void (*in_float)(float*, P...),
                                 void (*in_double)(double*, Q...), void (*rounded)(Rounded*, R...)) {
    return [=](StepList& steps, const Site& at) {
        add(steps, at.dx(), at.wide(), {at.dy(), by == SlopeBy::result ? at.y() : at.x()}, name, in_float, in_double,
            rounded, count(at.wide()));
    };
}

// The one row that an activation has: of hpreact.
inline GlossaryRow hpreact_row(std::string_view rule) {
    return {.value = "hpreact",
            .axes = {Axis::row, Axis::unit},
            .meaning = "what the layer hands to its non-linearity",
            .symbol = "HZ",
            .rule = rule};
}

}  // namespace byhand
