// Tensors in a file, in the safetensors format: 8 bytes of header length (little-endian), a JSON header with each
// tensor's dtype, shape and offset, then the bytes of the tensors, without gaps. docs/formats.md has the rules.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "byhand/view.h"

namespace byhand {

using Metadata = std::map<std::string, std::string>;

// One tensor as read, which owns its numbers, in row order. `bytes` is aligned for every dtype and holds
// count(shape)·size_of(dtype) bytes.
struct StoredTensor {
    std::string name;
    Shape shape;
    DType dtype = DType::float32;
    std::vector<std::byte> bytes;
};

// A tensor of a type that can't be read: "BF16".
struct LeftOut {
    std::string name, type;
};

struct TensorFile {
    std::vector<StoredTensor> tensors;  // in the order of their bytes
    Metadata metadata;
    std::vector<LeftOut> left_out = {};
};

// What becomes of tensors that are neither F32, F64 nor I64: the file is refused; or I32 is read as well, and the
// others are left out.
enum class OtherTypes { refused, left_out };

// A view of every tensor, valid as long as the object is neither moved nor changed.
std::vector<View> views(const std::vector<StoredTensor>& tensors);

// Reads a whole file. Allocates memory only for the actual contents of the file. Throws InputError, naming path, byte
// or tensor: no such file, not a regular file, not a valid safetensors file, a dtype that is refused, or an error of
// the system.
TensorFile read_tensors(const std::string& path, OtherTypes other_types = OtherTypes::refused);

// Writes the tensors and the metadata, with "format": "byhand" added to it. The 8-byte dtypes come first, then float,
// each in the order of `tensors`, so that every tensor is aligned; the same tensors yield the same bytes. The write is
// atomic: to a temporary file in the same folder, flushed to disk and then renamed. If the path is a symbolic link, its
// target is written. Throws InputError as check_writable does, and for an error of the system; the previous file is
// then unchanged, and no temporary file remains (except if a folder can't be flushed, see WholeFile). Throws
// std::invalid_argument for a duplicate name. Preconditions: extents fit, names are not "__metadata__", names and
// metadata are UTF-8 (InputError otherwise).
void write_tensors(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata);

// The metadata of a file that write_tensors wrote: its header is well-formed and contains "format": "byhand". nullopt
// for anything else, and if there is no file. Reads only the header.
std::optional<Metadata> own_metadata(const std::string& path);

// A trained model has its number of steps in its metadata; other tensor files are easily recreated.
enum class Content { model, tensors };
inline constexpr const char* kStepsKey = "steps";

// Throws InputError if write_tensors would fail: `path` is a file that byhand did not write or that is write-protected,
// a model where tensors are to be written, or its folder does not exist. To be called before long computations.
void check_writable(const std::string& path, Content content);

}  // namespace byhand
