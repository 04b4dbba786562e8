// What many training steps come to.
#pragma once

#include "lab/paper/paper.h"
#include "lab/setting.h"
#include "lab/walkthrough/walkthrough.h"
#include "train/run.h"

namespace byhand::lab {

// Trains by the recipe, and lets the network write names, before and after. `run` is the recipe brought together with
// the names.
void tell_names(Paper& paper, const WalkthroughOptions& options, const Run& run, const Material& material,
                const Setting& setting);

}  // namespace byhand::lab
