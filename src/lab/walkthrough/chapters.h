// A network's steps, parted as a story tells them.
#pragma once

#include <cstddef>
#include <vector>

#include "steps/step.h"

namespace byhand::lab {

enum class Part { lookup, linear, norm, activation, loss, other };

struct Chapter {
    Part part = Part::lookup;
    std::size_t layer = 0;  // of linear, norm and activation: from 0, the output last
    std::vector<const Step*> steps;
};

// The network's forward or backward steps: each run of steps that belong together.
std::vector<Chapter> forward_chapters(const Graph& network);
std::vector<Chapter> backward_chapters(const Graph& network);

}  // namespace byhand::lab
