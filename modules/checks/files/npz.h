// NumPy's .npz: a zip of .npy arrays, stored or deflated when it is read, stored when it is written. The code is in a
// module, because loading libzip and the libraries that it needs takes longer than a training takes to its first step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checks/files/npy.h"

namespace byhand {

// Throws InputError that begins with the path, and names the entry if one is at fault: not a complete zip, an entry
// that is damaged or encrypted or no .npy array, or a PyTorch file; and if the module is missing.
TensorSources open_npz(const std::string& path);

}  // namespace byhand

// ---- The module ----

extern "C" void byhand_open_npz(byhand::TensorSources& sources, const std::string& path);
// Hands the bytes of an archive of these arrays to `sink`: the same bytes for the same arrays, with byhand's comment.
// Throws std::invalid_argument for a duplicate name, InputError that begins with the path for an error of libzip.
extern "C" void byhand_write_npz(const std::vector<byhand::NpyArray>& arrays, const std::string& path,
                                 const std::function<void(const void* data, std::uint64_t size)>& sink);
