// External tensors in a file of any known format: recognised by its first bytes when it is read, by its name's ending
// when it is written.
#pragma once

#include <string>
#include <vector>

#include "train/npy.h"

namespace byhand {

// Reads a safetensors, .npz or .npy file; the single tensor of a .npy file has the file's name without folder and
// extension. Of safetensors everything is read, of the others what is requested. Throws InputError as the formats'
// readers do, and for a file of another kind, which it names.
ExternalFile read_external(const std::string& path, const ElementsDue& due);

// Throws InputError if write_external would fail, as far as that is known before: as check_writable does, for an ending
// other than .safetensors and .npz, and without the module that writes .npz files.
void check_external(const std::string& path);

// Writes the tensors and the metadata, as write_tensors does; in a .npz the latter are arrays of one text each.
void write_external(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata);

}  // namespace byhand
