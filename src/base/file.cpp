#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {

std::string reason(int error) {
    return error == ENXIO ? "nobody is at the other end of it" : std::generic_category().message(error);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor::~Descriptor() {
    close();
}

bool Descriptor::close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
}

RegularFile open_regular(const std::string& path) {
    const auto refuse = [&](const std::string& what) { throw InputError(printable(path) + ": " + what); };
    // Otherwise open() would wait for the writer of a pipe.
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status = {};
    if (descriptor.number() < 0 || ::fstat(descriptor.number(), &status) != 0) {
        refuse("can't be read: " + reason() + "; name a file that can");
    }
    if (S_ISDIR(status.st_mode)) {
        refuse("is a folder; name a file");
    }
    if (!S_ISREG(status.st_mode)) {
        refuse("is not a regular file; name one");
    }
    return {std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

Descriptor open_folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::size_t read_some(int descriptor, void* to, std::size_t size, const std::string& path) {
    while (true) {
        const ssize_t got = ::read(descriptor, to, size);
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR) {
            throw InputError(printable(path) + ": can't be read: " + reason());
        }
    }
}

std::size_t read_from(int descriptor, std::uint64_t offset, void* to, std::size_t size, const std::string& path) {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(descriptor, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno != EINTR) {
            throw InputError(printable(path) + ": can't be read: " + reason());
        }
        if (got == 0) {
            break;
        }
        done += got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    return done;
}

std::string read_text(const std::string& path, std::size_t limit) {
    const RegularFile file = open_regular(path);
    std::string text;
    text.reserve(std::min<std::uint64_t>(file.size, limit));
    char buffer[65536];
    while (const std::size_t got = read_some(file.descriptor.number(), buffer, sizeof buffer, path)) {
        text.append(buffer, got);
        if (text.size() > limit) {
            throw InputError(printable(path) + ": larger than the limit of " + std::to_string(limit) +
                             " bytes; give a smaller file");
        }
    }
    return text;
}

bool write_all(int descriptor, const void* data, std::uint64_t size) {
    const auto* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t put = ::write(descriptor, from, size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            from += put;
            size -= static_cast<std::uint64_t>(put);
        }
    }
    return true;
}

bool flush_to_disk(int descriptor) {
    while (::fsync(descriptor) != 0) {
        if (errno == EINVAL || errno == ENOTSUP) {
            return true;
        }
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace byhand
