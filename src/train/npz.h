// NumPy's .npz: a zip of .npy arrays, stored or deflated. In a module, because loading libzip and the libraries that it
// needs takes longer than a training takes to its first step.
#pragma once

#include <string>

#include "train/npy.h"

// Adds the requested arrays, and only the names of the others. Throws InputError that begins with the path, and names
// the entry if one is at fault: not a complete zip, an entry that is damaged or encrypted or no .npy array, or a
// PyTorch file.
extern "C" void byhand_read_npz(byhand::ExternalFile& file, const std::string& path, const byhand::ElementsDue& due);
