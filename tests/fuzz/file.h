// What a fuzzer hands to a reader that takes a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "fuzz/refusal.h"

namespace fuzz {

// A file in memory, with a path that can be opened.
class File {
public:
    File(const void* data, std::size_t size) : number_(::memfd_create("fuzz", 0)) {
        require(number_ >= 0 && ::write(number_, data, size) == static_cast<ssize_t>(size), "memory is there");
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(number_); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }

private:
    int number_;
};

}  // namespace fuzz
