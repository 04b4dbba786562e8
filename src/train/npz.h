// NumPy's .npz: a zip of .npy arrays, stored or deflated.
#pragma once

#include <string>

#include "train/npy.h"

namespace byhand {

// Reads the arrays that are due; of others the names alone. Throws InputError that begins with the path, and names the
// entry where it is one that is to blame: not a whole zip, an entry that is damaged or encrypted or no .npy array, or a
// PyTorch file.
ExternalFile read_npz(const std::string& path, const ElementsDue& due);

// The way from a PyTorch file to one that is read, as the end of a message.
std::string from_pytorch(const std::string& path);

}  // namespace byhand
