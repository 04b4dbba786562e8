// NumPy's .npz: a zip of .npy arrays, stored or deflated.
#pragma once

#include <string>

#include "train/npy.h"

namespace byhand {

// Reads the requested arrays, and only the names of the others. Throws InputError that begins with the path, and names
// the entry if one is at fault: not a complete zip, an entry that is damaged or encrypted or no .npy array, or a
// PyTorch file.
ExternalFile read_npz(const std::string& path, const ElementsDue& due);

// How to convert a PyTorch file to a supported one, as the end of a message.
std::string from_pytorch(const std::string& path);

}  // namespace byhand
