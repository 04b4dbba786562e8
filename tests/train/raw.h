// Numbers as the bytes of a tensor file.
#pragma once

#include <cstring>
#include <string>
#include <vector>

namespace byhand::test {

template <class T>
std::string raw(const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) {
        std::memcpy(bytes.data(), values.data(), bytes.size());
    }
    return bytes;
}

}  // namespace byhand::test
