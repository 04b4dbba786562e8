// The file that byhand compare writes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/end_to_end/comparison.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::cli {

// Every value of the last step, each implementation under its own prefix, with the batch and the recipe: for anyone who
// wants to check the checker.
void write_dump(const std::string& path, const Run& run, const DrawnBatch& batch, std::size_t step,
                const std::vector<Candidate>& candidates, const ReferenceImplementations& reference);

}  // namespace byhand::cli
