// One tensor in NumPy's .npy format: "\x93NUMPY", a version, the length of a header, the header as a Python dictionary
// (descr, fortran_order, shape), then the numbers. docs/formats.md has what is read.
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

// Puts the next bytes into `to`, `size` of them, or fewer at the end; how many.
using ByteSource = std::function<std::size_t(void* to, std::size_t size)>;

// How many elements of a tensor are due; nothing where it is not read at all.
using ElementsDue = std::function<std::optional<std::uint64_t>(const std::string& name)>;

// What a file of one's own has. Of a tensor whose shape has another number of elements than are due, and of one that is
// not read, `bytes` is empty.
struct ExternalFile {
    std::vector<StoredTensor> tensors;
    std::vector<std::string> faults;  // element types that are not read, a line each
};

// Adds the tensor of that name, in row order, and takes memory only for as many elements as are due. Throws InputError
// that begins with `where`: not .npy version 1 to 3, a header that is not understood, or fewer or more bytes than the
// shape takes.
void read_npy(ExternalFile& file, const std::string& name, const ByteSource& source, std::uint64_t due,
              const std::string& where);

}  // namespace byhand
