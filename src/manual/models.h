// The handwritten networks, to train and to compare.
#pragma once

#include <memory>
#include <string>

#include "base/model.h"
#include "manual/evaluation.h"
#include "steps/step.h"

namespace byhand {

// The form of that name: "stepwise", "collapsed", "fused". Throws std::invalid_argument for any other.
HandForm hand_form(const std::string& name);

// A model from any step lists, such as one with external functions or an injected fault. It evaluates by the formulas,
// or by what takes their place. In float or double.
std::unique_ptr<Trainable> make_step_model(Graph graph, Keep keep = Keep::needed, DType dtype = DType::float32,
                                           ReplaceSteps replace = nullptr);

}  // namespace byhand
