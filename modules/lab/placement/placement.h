// Note 4: batch norm before the non-linearity, after it, or none; ε inside the root or outside; γ and β or none.
#pragma once

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

// Each variant of the first recipe against LibTorch on one step, and trained. Throws InputError as prepare
// (train/run.h) does.
Document placement(const Setup& setup);

}  // namespace byhand::lab
