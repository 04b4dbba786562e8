// NumPy's .npz: a zip of .npy arrays, stored or deflated when it is read, stored when it is written. In a module,
// because loading libzip and the libraries that it needs takes longer than a training takes to its first step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/npy.h"

// Adds the requested arrays, and only the names of the others. Throws InputError that begins with the path, and names
// the entry if one is at fault: not a complete zip, an entry that is damaged or encrypted or no .npy array, or a
// PyTorch file.
extern "C" void byhand_read_npz(byhand::ExternalFile& file, const std::string& path, const byhand::ElementsDue& due);

// Hands the bytes of an archive of these arrays to `sink`: the same bytes for the same arrays, with byhand's comment.
// Throws std::invalid_argument for a duplicate name, InputError that begins with the path for an error of libzip.
extern "C" void byhand_write_npz(const std::vector<byhand::NpyArray>& arrays, const std::string& path,
                                 const std::function<void(const void* data, std::uint64_t size)>& sink);
