// External tensors in a file of any known format: recognised by its first bytes when it is read, by its name's ending
// when it is written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checks/files/npy.h"

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

// ---- NumPy's .npz: a zip of .npy arrays, stored or deflated when it is read, stored when it is written ----
// These functions are in a module, because loading libzip and the libraries that it needs takes longer than a training
// takes to its first step.

// Adds the requested arrays, and only the names of the others. Throws InputError that begins with the path, and names
// the entry if one is at fault: not a complete zip, an entry that is damaged or encrypted or no .npy array, or a
// PyTorch file.
extern "C" void byhand_read_npz(byhand::ExternalFile& file, const std::string& path, const byhand::ElementsDue& due);

// Hands the bytes of an archive of these arrays to `sink`: the same bytes for the same arrays, with byhand's comment.
// Throws std::invalid_argument for a duplicate name, InputError that begins with the path for an error of libzip.
extern "C" void byhand_write_npz(const std::vector<byhand::NpyArray>& arrays, const std::string& path,
                                 const std::function<void(const void* data, std::uint64_t size)>& sink);
