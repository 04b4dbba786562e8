// Tensors in a file of one's own, in whichever of the known formats it is: recognised by its first bytes, not by its
// name.
#pragma once

#include <string>

#include "train/npy.h"

namespace byhand {

// Reads a safetensors, .npz or .npy file; the one tensor of a .npy file goes by the file's name without folder and
// ending. Of safetensors all is read, of the others what is due. Throws InputError as the formats' readers do, and for
// a PyTorch file.
ExternalFile read_external(const std::string& path, const ElementsDue& due);

}  // namespace byhand
