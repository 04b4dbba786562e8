// External tensors in a file of any known format: recognised by its first bytes when it is read, by its name's ending
// when it is written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/safetensors.h"

namespace byhand {

// The expected number of elements of a tensor; nullopt to skip the tensor.
using ElementsDue = std::function<std::optional<std::uint64_t>(const std::string& name)>;

// The contents of an external file. `bytes` is empty for a tensor whose number of elements differs from the expected
// one, and for a skipped one. Whole numbers are read as int64.
struct ExternalFile {
    std::vector<StoredTensor> tensors;
    std::vector<std::string> not_read;  // tensors of other element types, a line each
};

// Reads what is requested of a file that open_tensors opens. Throws InputError as that does.
ExternalFile read_external(const std::string& path, const ElementsDue& due);

// Throws InputError if write_external would fail, as far as that is known before: as check_writable does, for an ending
// other than .safetensors and .npz, and without the module that writes .npz files.
void check_external(const std::string& path);

// Writes the tensors and the metadata, as write_tensors does; in a .npz the latter are arrays of one text each.
void write_external(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata);

}  // namespace byhand
