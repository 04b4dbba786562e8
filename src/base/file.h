// Files of the system, read and written to the end, and its words where that fails.
#pragma once

#include <cerrno>
#include <cstddef>
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

    // Closes it now. False, with errno, where what was written may be lost.
    bool close();

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

// The next bytes, at most `size`, into `to`: how many, 0 at the end. Throws InputError that begins with the path.
std::size_t read_some(int descriptor, void* to, std::size_t size, const std::string& path);

// Writes all of it, however often the system breaks off. False, with errno, where it can't be done.
bool write_all(int descriptor, const void* data, std::uint64_t size);

// The folder that `path` stands in: flushed after a file was made or renamed there, the name lasts. number() < 0, with
// errno, where it can't be opened.
Descriptor open_folder_of(const std::string& path);

// All that was written is on the disk then; a device, a pipe, or a file system that has no such thing, is left as it
// is. False, with errno, where it fails.
bool flush_to_disk(int descriptor);

}  // namespace byhand
