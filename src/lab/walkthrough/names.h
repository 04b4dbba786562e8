// What many training steps come to.
#pragma once

#include "lab/setting.h"
#include "lab/walkthrough/walkthrough.h"
#include "report/document.h"
#include "train/run.h"

namespace byhand::lab {

// Trains by the recipe, and lets the network write names, before and after. `run` is the recipe brought together with
// the names.
void tell_names(Document& document, const WalkthroughOptions& options, const Run& run, const Material& material,
                const Setting& setting);

}  // namespace byhand::lab
