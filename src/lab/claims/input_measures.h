// What is read from the record of a training's inputs.
#pragma once

#include <functional>
#include <vector>

#include "lab/claims/input_watch.h"
#include "lab/claims/verdict.h"

namespace byhand::lab {

using InputMeasure = std::function<double(const InputRecord& record)>;
using LayerMeasure = std::function<double(const LayerShift& layer)>;

double mean_over_layers(const std::vector<LayerShift>& layers, const LayerMeasure& measure);
// Of one layer, over the moments.
double mean_over_moments(const InputRecord& record, std::size_t layer, const LayerMeasure& measure);

// What goes into a row of the table of claims.
struct MeasuredInput {
    const char* claim;
    const char* measure;
    const char* brief;
    Better better;
    InputMeasure of;
};

// In this order: two of how a tanh's input wanders, one of a step's effect on what a layer reads, two of the gradient's
// shift, three of the loss along the gradient.
const std::vector<MeasuredInput>& input_measures();

}  // namespace byhand::lab
