// The tensors of a file of any kind, each read when it is asked for, from its first element to its last: a file may be
// larger than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/safetensors.h"

namespace byhand {

// Reads up to `size` bytes into `to`, and returns their number, 0 at the end.
using ByteSource = std::function<std::size_t(void* to, std::size_t size)>;
// Each call begins at the first byte.
using OpenBytes = std::function<ByteSource()>;

struct TensorSource {
    std::string name;
    std::string type;  // as the file calls it: "BF16", "'<f2'"
    Shape shape;
    // Of what is read (StoredType); empty for a type that can't be.
    std::optional<DType> dtype;
    // The elements in row order, to be read in whole elements; those of a type that is not known as they are. Throws
    // InputError, as what it returns does.
    OpenBytes open;
    std::string fault =
        {};  // why the elements can't be read: "it ends early", with the place; empty if nothing is known
};

struct TensorSources {
    std::vector<TensorSource> tensors;
    Metadata metadata;
};

// Opens a safetensors, .npz or .npy file, recognised by its first bytes, and reads its headers; the single tensor of a
// .npy file has the file's name without folder and extension. Throws InputError that begins with the path: a file of
// another kind, which it names, or one that is damaged or of the wrong size.
TensorSources open_tensors(const std::string& path);

// The whole tensor. Precondition: its type is known.
StoredTensor read(const TensorSource& source);

// The same tensor with its last two axes exchanged; it is in memory while it is read.
TensorSource transposed(const TensorSource& source);

// ---- For the readers of formats ----

// Elements of this type, in the other byte order if they are `swapped`, by columns if `fortran_order`.
struct Layout {
    const StoredType* type = nullptr;
    bool swapped = false;
    bool fortran_order = false;
};
// `raw`: all bytes of the elements, of which there are as many as the shape says.
TensorSource stored_source(std::string name, std::string type, Shape shape, Layout layout, OpenBytes raw);

// The number of elements, or nullopt if it exceeds 64 bits.
std::optional<std::uint64_t> elements_of(const Shape& shape);

}  // namespace byhand
