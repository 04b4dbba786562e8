// The tools with which mistakes are planted (mistakes.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "harness/mistakes.h"
#include "steps/step.h"

namespace byhand::planting {

using Network = Graph;
using Names = std::vector<std::string>;
using Reads = byhand::Reads<float>;
using Call = std::function<void(float* out, Reads reads)>;

// Which mistakes each file contributes.
std::vector<Mistake> norm_mistakes();
std::vector<Mistake> softmax_mistakes();
std::vector<Mistake> layer_mistakes();
std::vector<Mistake> update_mistakes();
std::vector<Mistake> memory_mistakes();
std::vector<Mistake> data_mistakes();
std::vector<Mistake> layer_data_mistakes();

// The first step, in the order in which they run, that is computed by this function; or nullptr.
inline Step* step_by(Network& network, const std::string& function) {
    for (StepList* list : network.lists()) {
        for (Step& step : *list) {
            if (step.in_float.name == function) {
                return &step;
            }
        }
    }
    return nullptr;
}

// A mistake that has one culprit: the step computed by `function`. `edit` spoils it, and says whether it could.
inline Mistake at(const std::string& function, std::string name, std::string what, std::string source,
                  std::function<bool(Network&, Step&)> edit) {
    return {std::move(name), std::move(what), std::move(source),
            [function, edit = std::move(edit)](Network& network, const Catches&) -> Names {
                Step* step = step_by(network, function);
                return step != nullptr && edit(network, *step) ? Names{step->makes} : Names{};
            }};
}

// The right function, and then `spoil` on its result.
inline bool then(Step& step, Call spoil) {
    step.in_float.run = [right = step.in_float.run, spoil = std::move(spoil)](float* out, Reads reads) {
        right(out, reads);
        spoil(out, reads);
    };
    return true;
}

inline bool instead(Step& step, Call wrong) {
    step.in_float.run = std::move(wrong);
    return true;
}

// Every element of the result times `factor`.
inline bool scaled(Step& step, float factor) {
    return factor != 1 && then(step, [factor, elements = count(step.shape)](float* out, Reads) {
               std::for_each_n(out, elements, [factor](float& element) { element *= factor; });
           });
}

inline float divisor_of(Divisor divisor, std::size_t n) {
    return static_cast<float>(divisor == Divisor::n ? n : n - 1);
}
inline Divisor other(Divisor divisor) {
    return divisor == Divisor::n ? Divisor::n_minus_1 : Divisor::n;
}

// The columns of the step's result, or 1 for a vector's.
inline std::size_t width(const Step& step) {
    return step.shape.empty() ? 1 : step.shape.back();
}

}  // namespace byhand::planting
