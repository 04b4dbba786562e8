// One tensor in NumPy's .npy format: "\x93NUMPY", a version, the length of a header, the header as a Python dictionary
// (descr, fortran_order, shape), then the numbers. docs/formats.md lists the supported variants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "train/safetensors.h"

namespace byhand {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

// Reads up to `size` bytes into `to`, fewer at the end, and returns their number.
using ByteSource = std::function<std::size_t(void* to, std::size_t size)>;

// The expected number of elements of a tensor; nullopt to skip the tensor.
using ElementsDue = std::function<std::optional<std::uint64_t>(const std::string& name)>;

// The contents of an external file. `bytes` is empty for a tensor whose number of elements differs from the expected
// one, and for a skipped one.
struct ExternalFile {
    std::vector<StoredTensor> tensors;
    std::vector<std::string> faults;  // unsupported element types, a line each
};

// Adds the tensor of that name, in row order, and allocates memory only for as many elements as expected. Throws
// InputError that begins with `where`: not .npy version 1 to 3, an unsupported header, or fewer or more bytes than the
// shape needs.
void read_npy(ExternalFile& file, const std::string& name, const ByteSource& source, std::uint64_t due,
              const std::string& where);

// How to convert a PyTorch file to a supported one, as the end of a message.
std::string from_pytorch(const std::string& path);

}  // namespace byhand
