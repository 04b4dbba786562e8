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

using Network = StepNetwork<float>;
using Names = std::vector<std::string>;
using Reads = std::span<const Operand<float>>;
using Function = std::function<void(float* out, Reads reads)>;

// Which mistakes each file contributes.
std::vector<Mistake> norm_mistakes();
std::vector<Mistake> softmax_mistakes();
std::vector<Mistake> layer_mistakes();
std::vector<Mistake> update_mistakes();
std::vector<Mistake> memory_mistakes();
std::vector<Mistake> data_mistakes();
std::vector<Mistake> layer_data_mistakes();

// The first step, in the order in which they run, that is computed by this function; or nullptr.
inline Step<float>* step_by(Network& network, const std::string& function) {
    for (StepList<float>* list : {&network.forward, &network.backward, &network.update, &network.evaluation}) {
        for (Step<float>& step : list->steps()) {
            if (step.function == function) {
                return &step;
            }
        }
    }
    return nullptr;
}

inline const float* numbers(Reads reads, std::size_t position) {
    return std::get<const float*>(reads[position]);
}
inline const std::int64_t* indices(Reads reads, std::size_t position) {
    return std::get<const std::int64_t*>(reads[position]);
}

// A mistake that has one culprit: the step computed by `function`. `edit` spoils it, and says whether it could.
inline Mistake at(const std::string& function, std::string name, std::string what, std::string source,
                  std::function<bool(Network&, Step<float>&)> edit) {
    return {std::move(name), std::move(what), std::move(source),
            [function, edit = std::move(edit)](Network& network, const Catches&) -> Names {
                Step<float>* step = step_by(network, function);
                return step != nullptr && edit(network, *step) ? Names{step->makes} : Names{};
            }};
}

// The right function, and then `spoil` on its result.
inline bool then(Step<float>& step, Function spoil) {
    step.run = [right = step.run, spoil = std::move(spoil)](float* out, Reads reads) {
        right(out, reads);
        spoil(out, reads);
    };
    return true;
}

inline bool instead(Step<float>& step, Function wrong) {
    step.run = std::move(wrong);
    return true;
}

// Every element of the result times `factor`.
inline bool scaled(Step<float>& step, float factor) {
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
inline std::size_t width(const Step<float>& step) {
    return step.shape.empty() ? 1 : step.shape.back();
}

}  // namespace byhand::planting
