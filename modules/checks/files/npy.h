// One tensor in NumPy's .npy format: "\x93NUMPY", a version, the length of a header, the header as a Python dictionary
// (descr, fortran_order, shape), then the numbers. docs/formats.md lists the supported variants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/file_kind.h"
#include "train/safetensors.h"

namespace byhand {

// Reads up to `size` bytes into `to`, and returns their number, 0 at the end.
using ByteSource = std::function<std::size_t(void* to, std::size_t size)>;

// The expected number of elements of a tensor; nullopt to skip the tensor.
using ElementsDue = std::function<std::optional<std::uint64_t>(const std::string& name)>;

// The contents of an external file. `bytes` is empty for a tensor whose number of elements differs from the expected
// one, and for a skipped one. Numbers of 32 bits that are whole are read as int64.
struct ExternalFile {
    std::vector<StoredTensor> tensors;
    std::vector<std::string> not_read;  // tensors of other element types, a line each
};

// Adds the tensor of that name, in row order, or a line on its type, and allocates memory only for as many elements as
// expected. Throws InputError that begins with `where`: not .npy version 1 to 3, an unsupported header, or fewer or
// more bytes than the shape needs.
void read_npy(ExternalFile& file, const std::string& name, const ByteSource& source, std::uint64_t due,
              const std::string& where);

// Converts int32 to int64.
void widen(StoredTensor& tensor);

// How to convert a PyTorch file, or any other pickle of arrays by name, to a supported one, as the end of a message.
std::string from_pytorch(const std::string& path);
std::string from_pickle(const std::string& path);

// An array to write: the bytes of a .npy file in two parts.
struct NpyArray {
    std::string name;
    std::string header;
    const void* data;
    std::uint64_t size;
};

// Of numbers in row order.
NpyArray npy_array(const View& view);

// A text as NumPy's array of no axes, whose numbers are in `characters`. Precondition: UTF-8, not empty.
NpyArray npy_text(const std::string& name, const std::string& text, std::u32string& characters);

}  // namespace byhand
