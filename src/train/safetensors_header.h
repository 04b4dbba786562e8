// The header of a safetensors file as text, independent of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "train/safetensors.h"

namespace byhand {

// The published limit: 100 MB.
inline constexpr std::uint64_t kLongestHeader = 100'000'000;
// The bytes of it that names, keys and metadata may use in total in this reader.
inline constexpr std::uint64_t kMostHeaderText = 16'000'000;

// A tensor as described in the header. Offsets count from the header's end.
struct StoredEntry {
    std::string name;
    Shape shape;
    DType dtype = DType::float32;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    // The dtype in the header, if it is none of those.
    std::optional<std::string> other_type = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

struct Header {
    std::vector<StoredEntry> entries;  // in the order of their bytes
    Metadata metadata;
};

// Throws the InputError for exceeding kMostHeaderText.
[[noreturn]] void refuse_long_text(const std::string& path);

// Parses a header, which is the whole of `text`. Throws InputError that begins with `path`: text that is not such a
// header, a duplicate key, a size that does not fit shape and dtype (F32, F64, I64, I32), a gap or an overlap, more
// than 65,536 tensors or metadata entries. The last entry's end is not checked against the file.
Header parse_header(std::istream& text, const std::string& path);

// The inverse, padded with spaces to a multiple of 8. Throws InputError for text that is not UTF-8.
std::string header_text(const Header& header, const std::string& path);

}  // namespace byhand
