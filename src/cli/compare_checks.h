// What byhand compare does by the module checks: external values, and planted mistakes.
#pragma once

#include <cstddef>
#include <string>

#include "checks/external/external.h"
#include "compare/candidates.h"
#include "train/run.h"

namespace byhand::cli {

// External values from a file. What was done to fit them in is said on stderr. Throws InputError for the last fault;
// those before it are said as it is.
ExternalValues external_values(const std::string& path, const NetworkConfig& network, std::size_t rows);
Candidate candidate_of_file(ExternalValues values, const std::string& path, const Reference& reference);

// The stepwise network with that mistake in it. Throws InputError if it does not apply, or is one of several ranks.
Candidate planted(const std::string& mistake, const Run& run, const Reference& reference);

}  // namespace byhand::cli
