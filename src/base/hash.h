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

// ---- Independent streams of random bits from one seed ----

// 64 bits, each of which depends on every bit of the state: splitmix64 (Steele, Lea and Flood 2014).
constexpr std::uint64_t mixed(std::uint64_t state) {
    std::uint64_t z = state + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace byhand
