// Tensors in a file, in the safetensors format: 8 bytes of header length (little-endian), a JSON header with each
// tensor's dtype, shape and offset, then the bytes of the tensors, without gaps. docs/formats.md has the rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
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

struct TensorFile {
    std::vector<StoredTensor> tensors;  // in the order of their bytes
    Metadata metadata;
};

// How the elements of a type are stored.
struct StoredType {
    std::string_view name;  // "F32"
    std::size_t size = 0;   // bytes of an element
    // That an element is read as: unsigned numbers as the next wider type with a sign, booleans as 0 and 1; none if
    // that is not possible.
    std::optional<DType> dtype;
};
// nullptr for a type that is not known.
const StoredType* stored_type(std::string_view name);

// A tensor as described in the header. Offsets count from the header's end.
struct TensorEntry {
    std::string name;
    std::string type;  // "F32"
    Shape shape;
    std::vector<std::uint64_t> offsets;  // begin and end
};

struct TensorHeader {
    std::vector<TensorEntry> entries;  // in the order of their bytes
    Metadata metadata;
    std::uint64_t data = 0;  // offset of the tensors' bytes in the file
};

// A view of every tensor, valid as long as the object is neither moved nor changed.
std::vector<View> views(const std::vector<StoredTensor>& tensors);

// Reads a whole file. Allocates memory only for the actual contents of the file. Throws InputError, naming path, byte
// or tensor: no such file, not a regular file, not a valid safetensors file, a dtype other than F32, F64 and I64, or an
// error of the system.
TensorFile read_tensors(const std::string& path);

// Reads only the header, and checks that the file has the bytes that it describes. A type may be any. Throws InputError
// as read_tensors does.
TensorHeader read_tensor_header(const RegularFile& file, const std::string& path);

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
