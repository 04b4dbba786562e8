// What a reader may do with any bytes: take them, or refuse them by an InputError of one printable line.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fuzz {

// Ends the program where something is not so, which libFuzzer takes for a crash and keeps the input of.
inline void require(bool so, const char* what) {
    if (!so) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

// Calls read(); an InputError is fine where its message is one line of a size that people read.
template <class Read>
void refused_or_taken(Read read) {
    constexpr std::size_t kLongest = 2000;
    try {
        read();
    } catch (const byhand::InputError& error) {
        const std::string_view message = error.what();
        require(!message.empty() && message.size() <= kLongest, "a message has some length, and not too much");
        for (const char c : message) {
            require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a message has no control characters");
        }
    }
}

}  // namespace fuzz
