// The handwritten networks, as models to train and as implementations to compare.
#pragma once

#include <memory>
#include <string>

#include "base/model.h"
#include "manual/evaluation.h"
#include "steps/step.h"

namespace byhand {

// The form of that name: "stepwise", "collapsed", "fused". Throws std::invalid_argument for any other.
HandForm hand_form(const std::string& name);

// A model to train, in float, from any step lists, such as one with external functions. It evaluates by the formulas,
// or by what takes their place.
std::unique_ptr<Model> make_step_model(Graph graph, ReplaceSteps replace = nullptr);

// An implementation to compare from any step lists, such as one with an injected fault.
std::unique_ptr<Implementation> make_step_implementation(Graph graph, DType dtype = DType::float32);

}  // namespace byhand
