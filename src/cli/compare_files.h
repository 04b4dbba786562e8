// The files that byhand compare reads and writes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compare/candidates.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::cli {

// Every value of the last step, each implementation under its own prefix, with the batch and the recipe: for anyone who
// wants to check the checker.
void write_dump(const std::string& path, const Run& run, const DrawnBatch& batch, std::size_t step,
                const std::vector<Candidate>& candidates, const ReferenceImplementations& reference);

// External values from a file. What was done to fit them in is said on stderr. Throws InputError for the last fault;
// those before it are said as it is.
ExternalValues external_values(const std::string& path, const NetworkConfig& network, std::size_t rows);

}  // namespace byhand::cli
