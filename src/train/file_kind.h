// What a file is, by its first bytes: for the choice of a reader, and for messages about files of the wrong kind.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"

namespace byhand {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

enum class FileKind { unknown, empty, zip, npy, pytorch, pickle, gzip, json, csv, python, text };

// unknown for a safetensors file, whole or not; pytorch for what torch.save wrote before version 1.6. The name decides
// only which kind of text it is. Throws InputError that begins with the path for an error of the system.
FileKind kind_of(const RegularFile& file, const std::string& path);

// "JSON", "a pickle"; empty for an unknown one.
std::string to_string(FileKind kind);

// The comment of a .npz archive that byhand wrote, and whether the file of that path ends with it.
inline constexpr std::string_view kNpzComment = "byhand";
bool is_own_npz(const std::string& path);

}  // namespace byhand
