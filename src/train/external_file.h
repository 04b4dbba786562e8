// External tensors in a file of any known format, recognised by its first bytes, not by its name.
#pragma once

#include <string>

#include "train/npy.h"

namespace byhand {

// Reads a safetensors, .npz or .npy file; the single tensor of a .npy file has the file's name without folder and
// extension. Of safetensors everything is read, of the others what is requested. Throws InputError as the formats'
// readers do, and for a PyTorch file.
ExternalFile read_external(const std::string& path, const ElementsDue& due);

}  // namespace byhand
