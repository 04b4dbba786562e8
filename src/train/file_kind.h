// What a file is, by its first bytes: for the choice of a reader, and for messages about files of the wrong kind.
#pragma once

#include <string>

#include "base/file.h"

namespace byhand {

enum class FileKind { unknown, empty, zip, npy, pytorch, pickle, gzip, json, csv, python, text };

// unknown for a safetensors file, whole or not; pytorch for what torch.save wrote before version 1.6. The name decides
// only which kind of text it is. Throws InputError that begins with the path for an error of the system.
FileKind kind_of(const RegularFile& file, const std::string& path);

// "JSON", "a pickle"; empty for an unknown one.
std::string to_string(FileKind kind);

}  // namespace byhand
