// A hash of bytes that is the same on every machine: FNV-1a, 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace byhand {

inline constexpr std::uint64_t kHashOfNothing = 0xcbf29ce484222325;

// The hash of what `hash` is the hash of, followed by the bytes.
constexpr std::uint64_t hash_of(std::string_view bytes, std::uint64_t hash = kHashOfNothing) {
    for (const char byte : bytes) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    }
    return hash;
}

// The same of numbers, as they are stored.
inline std::uint64_t hash_of_bytes(std::span<const std::byte> bytes) {
    return hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace byhand
