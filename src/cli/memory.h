// The memory that a comparison needs.
#pragma once

#include <cstddef>

#include "base/network.h"

namespace byhand::cli {

// Per number that the network's steps make, measured by `/usr/bin/time -v` for 512 to 8192 rows.
inline constexpr double kBytesOfCompare = 105, kBytesOfExercise = 170;

// Throws InputError if a run with `rows` rows needs more than three quarters of the memory.
void check_memory(const NetworkConfig& network, std::size_t rows, double bytes_per_number);

}  // namespace byhand::cli
