// Files opened for reading, and what the system says where that fails.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>

namespace byhand {

// The system's words for an error; for ENXIO, which open() and a pipe without a reader end in, plainer ones.
std::string reason(int error = errno);

// An open file, closed at the end.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor();
    int number() const { return number_; }  // below 0: it could not be opened

private:
    int number_;
};

struct RegularFile {
    Descriptor descriptor;
    std::uint64_t size;  // bytes
};

// Throws InputError that begins with the path: no such file, no permission, a folder, or another thing that is no
// regular file (a pipe is not waited for).
RegularFile open_regular(const std::string& path);

}  // namespace byhand
