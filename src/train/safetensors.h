// Tensors in a file, in the safetensors format: 8 bytes of header length (little-endian), a header in JSON that gives
// each tensor's dtype, shape and place, then the bytes of the tensors, without gaps. docs/formats.md has the rules.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/view.h"

namespace byhand {

using Metadata = std::map<std::string, std::string>;

// One tensor as read: its own numbers, row after row. `bytes` is aligned for every dtype and holds
// count(shape)·size_of(dtype) of them.
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

// A look at every tensor, valid as long as the file stands where it is unchanged.
std::vector<View> views(const TensorFile& file);

// Reads a whole file. Takes memory only for what the file really holds. Throws InputError, naming path, byte or tensor:
// no such file, not a regular file, not a safetensors file by every rule of the format, a dtype other than F32, F64 and
// I64, or an error of the system.
TensorFile read_tensors(const std::string& path);

// Writes the tensors and the metadata, with "format": "byhand" added to it. The 8-byte dtypes come first, then float,
// each in the order given, so that every tensor lies aligned; the same tensors give the same bytes. The file appears
// whole or not at all: it is written beside its place, flushed to the disk and then renamed. Through a symbolic link
// the file that it points to is written. Throws InputError as check_writable does, and for an error of the system; the
// file that was there before is unharmed then, and nothing is left behind (but for a folder that can't be flushed, see
// WholeFile). Throws std::invalid_argument where a name
// stands twice. Preconditions: extents fit, names are not "__metadata__", names and metadata are UTF-8 (InputError
// otherwise).
void write_tensors(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata);

// The metadata of a file that write_tensors wrote: its header is well-formed and says "format": "byhand". Nothing for
// whatever can't be read as such, and where there is no file. Reads the header only.
std::optional<Metadata> own_metadata(const std::string& path);

// A trained model tells in its metadata how many steps it took; other files of tensors are easily made again.
enum class Content { model, tensors };
inline constexpr const char* kStepsKey = "steps";

// Throws InputError where write_tensors would refuse to write: something stands at `path` that byhand did not write or
// that is write-protected, or a model where tensors are to be, or there is no folder to write it in. To be asked before
// long work.
void check_writable(const std::string& path, Content content);

}  // namespace byhand
