// One tensor in NumPy's .npy format: "\x93NUMPY", a version, the length of a header, the header as a Python dictionary
// (descr, fortran_order, shape), then the numbers. docs/formats.md lists the supported variants.
#pragma once

#include <cstdint>
#include <string>

#include "checks/files/tensor_source.h"

namespace byhand {

// The tensor of that name in `size` bytes; fewer or more bytes than the shape needs are its fault. Throws InputError
// that begins with `where`: not .npy version 1 to 3, or an unsupported header.
TensorSource npy_source(const std::string& name, const OpenBytes& open, std::uint64_t size, const std::string& where);

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
