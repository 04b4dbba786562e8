// A safetensors file read and written by other code than the program's own.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace cli_test {

struct StoredTensor {
    std::string dtype;  // "F32", "F64", "I64"
    std::vector<std::size_t> shape;
    std::string bytes;

    std::size_t count() const;
    std::vector<float> floats() const;    // F32 only
    std::vector<double> doubles() const;  // F32 or F64
};

template <class T>
StoredTensor stored(const std::string& dtype, const std::vector<std::size_t>& shape, const std::vector<T>& numbers) {
    const std::span bytes = std::as_bytes(std::span(numbers));
    return {dtype, shape, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

struct StoredFile {
    std::map<std::string, StoredTensor> tensors;
    std::map<std::string, std::string> metadata;
};

// Throws where the file is not safetensors.
StoredFile read_stored(const std::string& path);

void write_stored(const std::string& path, const std::map<std::string, StoredTensor>& tensors,
                  const std::map<std::string, std::string>& metadata = {});

}  // namespace cli_test
