// A safetensors file read and written by other code than the program's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cli_test {

struct StoredTensor {
    std::string dtype;  // "F32", "F64", "I64"
    std::vector<std::size_t> shape;
    std::string bytes;

    std::size_t count() const;
    std::vector<float> floats() const;           // F32 only
    std::vector<double> doubles() const;         // F32 or F64
    std::vector<std::int64_t> integers() const;  // I64 only
};

struct StoredFile {
    std::map<std::string, StoredTensor> tensors;
    std::map<std::string, std::string> metadata;
};

// Throws where the file is not safetensors.
StoredFile read_stored(const std::string& path);

// Without metadata.
void write_stored(const std::string& path, const std::map<std::string, StoredTensor>& tensors);

}  // namespace cli_test
