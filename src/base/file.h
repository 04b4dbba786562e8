// File access in whole reads and writes, and error texts of the system.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

namespace byhand {

// The system's text for an error; a plainer one for ENXIO, which open() returns for a pipe without a reader.
std::string reason(int error = errno);

// An open file, closed by the destructor.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor();
    int number() const { return number_; }  // negative: it could not be opened

    // Closes the file now. False, with errno, if written data may be lost.
    bool close();

private:
    int number_;
};

struct RegularFile {
    Descriptor descriptor;
    std::uint64_t size;  // bytes
};

// Throws InputError that begins with the path: no such file, no permission, a folder, or another kind of file that is
// not regular (it does not wait for a pipe).
RegularFile open_regular(const std::string& path);

// Reads up to `size` bytes into `to` and returns their number, 0 at the end. Throws InputError that begins with the
// path.
std::size_t read_some(int descriptor, void* to, std::size_t size, const std::string& path);

// Reads `size` bytes from byte `offset` on, fewer only at the end of the file, and returns their number. Does not move
// the file's position. Throws InputError that begins with the path.
std::size_t read_from(int descriptor, std::uint64_t offset, void* to, std::size_t size, const std::string& path);

// The whole file. Throws InputError if it is larger than `limit` bytes, and as open_regular does.
std::string read_text(const std::string& path, std::size_t limit);

// Writes all of it, across partial writes and interrupts. False, with errno, on failure.
bool write_all(int descriptor, const void* data, std::uint64_t size);

// The folder that contains `path`: flushing it after a file is created or renamed makes the new name durable. number()
// < 0, with errno, if it cannot be opened.
Descriptor open_folder_of(const std::string& path);

// Flushes to disk; a device, a pipe, or a file system without such an operation is left as it is. False, with errno, on
// failure.
bool flush_to_disk(int descriptor);

}  // namespace byhand
