// The valley seen from above: contours of a loss in two weights, and the path of gradient descent.
#pragma once

#include <cstddef>
#include <string>

#include "lab/geometry/yes_or_no.h"
#include "report/document.h"

namespace byhand::lab {

struct Contours {
    Plot plot;
    double axes = 0;        // how many times as long as wide the lowest contour is, by the curvature at the best
    double left = 0;        // of the loss above the least, the share that is left at the path's end
    std::size_t steps = 0;  // of the path
};

// In the weights of inputs a and b; the other weights stay where the loss is least. One unit is as long on both
// axes. The path starts on the lowest contour, half-way between its far end and its side, at 1.8/λ.
Contours contours_of(const YesOrNo& question, std::size_t a, std::size_t b, const std::string& title,
                     const std::string& x_label, const std::string& y_label);

}  // namespace byhand::lab
