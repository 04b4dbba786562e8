#include "train/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <new>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "names/utf8.h"
#include "train/safetensors_header.h"

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian, and numbers are copied as they are");

namespace byhand {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "byhand";

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw InputError(printable(path) + ": " + what);
}

// The system's word for what just went wrong.
std::string reason(int error = errno) {
    return std::generic_category().message(error);
}

// An open file, closed at the end.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }

private:
    int number_;
};

struct Source {
    Descriptor descriptor;
    std::uint64_t size;  // bytes in the file
};

// A pipe would keep an ordinary open() waiting for its writer.
Source open_regular(const std::string& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status = {};
    if (descriptor.number() < 0 || ::fstat(descriptor.number(), &status) != 0) {
        refuse(path, "can't be read: " + reason());
    }
    if (S_ISDIR(status.st_mode)) {
        refuse(path, "is a folder; name a file");
    }
    if (!S_ISREG(status.st_mode)) {
        refuse(path, "is not a regular file");
    }
    return {std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

// Fills `out` from byte `offset` on.
void read_at(const Source& source, std::uint64_t offset, void* out, std::uint64_t size, const std::string& path) {
    auto* to = static_cast<char*>(out);
    while (size > 0) {
        const ssize_t got = ::pread(source.descriptor.number(), to, size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            refuse(path, got < 0 ? "can't be read: " + reason() : "ends early, at byte " + std::to_string(offset));
        }
        to += got;
        offset += static_cast<std::uint64_t>(got);
        size -= static_cast<std::uint64_t>(got);
    }
}

struct Opened {
    Header header;
    std::uint64_t data = 0;  // where the tensors' bytes begin
};

Opened read_header(const Source& source, const std::string& path) {
    constexpr std::uint64_t kPrefix = sizeof(std::uint64_t);
    if (source.size < kPrefix) {
        refuse(path, "not a safetensors file: it has " + std::to_string(source.size) + " bytes, of 8 at least");
    }
    std::uint64_t length = 0;
    read_at(source, 0, &length, kPrefix, path);
    if (length > kLongestHeader || length > source.size - kPrefix) {
        refuse(path, "not a safetensors file: its header would take " + std::to_string(length) + " bytes, of " +
                         std::to_string(std::min(kLongestHeader, source.size - kPrefix)) + " at most");
    }
    std::string text(length, ' ');
    read_at(source, kPrefix, text.data(), length, path);
    return {parse_header(text, path), kPrefix + length};
}

std::uint64_t bytes_of(const View& view) {
    return std::uint64_t{count(view.shape)} * size_of(view.dtype);
}

// The tensors in the order they are written in, and the header that tells of them.
std::pair<std::vector<View>, Header> laid_out(const std::vector<View>& tensors, const Metadata& metadata) {
    std::vector<View> order;
    for (const std::size_t size : {sizeof(double), sizeof(float)}) {
        std::ranges::copy_if(tensors, std::back_inserter(order),
                             [&](const View& view) { return size_of(view.dtype) == size; });
    }
    Header header{{}, metadata};
    header.metadata[kFormatKey] = kFormat;
    std::set<std::string> names = {"__metadata__"};
    std::uint64_t next = 0;
    for (const View& view : order) {
        if (!names.insert(view.name).second) {
            throw std::invalid_argument("two tensors to write are called " + view.name);
        }
        header.entries.push_back({view.name, view.shape, view.dtype, next, next + bytes_of(view)});
        next += bytes_of(view);
    }
    return {std::move(order), std::move(header)};
}

// The file itself, where `path` is a symbolic link to one.
fs::path resolved(const std::string& path) {
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(path, error))) {
        return path;
    }
    fs::path target = fs::canonical(path, error);
    if (error) {
        refuse(path, "is a symbolic link that can't be followed: " + error.message());
    }
    return target;
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A new file beside the one to be written, removed again unless it is put in that one's place.
class Temporary {
public:
    explicit Temporary(const fs::path& target) : target_(target), descriptor_(create()) {
        struct stat status = {};
        if (::stat(target.c_str(), &status) == 0) {
            ::fchmod(descriptor_.number(), status.st_mode & 0777);  // who may read it stays as it was
        }
    }
    Temporary(const Temporary&) = delete;
    Temporary(Temporary&&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    Temporary& operator=(Temporary&&) = delete;
    ~Temporary() {
        if (!name_.empty()) {
            ::unlink(name_.c_str());
        }
    }

    void write(const void* data, std::uint64_t size) {
        const auto* from = static_cast<const char*>(data);
        while (size > 0) {
            const ssize_t put = ::write(descriptor_.number(), from, size);
            if (put < 0 && errno != EINTR) {
                fail();
            }
            if (put > 0) {
                from += put;
                size -= static_cast<std::uint64_t>(put);
            }
        }
    }

    // Makes the file last, then gives it its name, then makes that last.
    void put_in_place() {
        flush(descriptor_.number());
        if (::rename(name_.c_str(), target_.c_str()) != 0) {
            fail();
        }
        name_.clear();
        const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder.number() >= 0) {
            flush(folder.number());
        }
    }

private:
    [[noreturn]] void fail() const { refuse(target_.string(), "can't be written: " + reason()); }

    Descriptor create() {
        for (int attempt = 0; attempt < 1000; ++attempt) {
            // Short, for the longest name that a folder takes may be the target's own.
            const std::string name = ".byhand." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".tmp";
            name_ = (folder_of(target_) / name).string();
            const int number = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (number >= 0) {
                return Descriptor(number);
            }
            if (errno != EEXIST) {
                break;
            }
        }
        name_.clear();
        fail();
    }

    void flush(int number) const {
        while (::fsync(number) != 0) {
            if (errno == EINVAL || errno == ENOTSUP) {
                return;  // a file system that has no such thing
            }
            if (errno != EINTR) {
                fail();
            }
        }
    }

    fs::path target_;
    std::string name_;  // empty: nothing to remove
    Descriptor descriptor_;
};

}  // namespace

std::vector<View> views(const TensorFile& file) {
    std::vector<View> all;
    all.reserve(file.tensors.size());
    for (const StoredTensor& tensor : file.tensors) {
        all.push_back({tensor.name, tensor.shape, tensor.dtype, tensor.bytes.data()});
    }
    return all;
}

TensorFile read_tensors(const std::string& path) {
    const Source source = open_regular(path);
    Opened opened = read_header(source, path);
    const std::vector<StoredEntry>& entries = opened.header.entries;
    const std::uint64_t told = entries.empty() ? 0 : entries.back().end;
    const std::uint64_t held = source.size - opened.data;
    if (told != held) {
        refuse(path, "not a safetensors file: its header tells of " + std::to_string(told) + " bytes of tensors, but " +
                         std::to_string(held) + " follow it");
    }
    TensorFile file;
    file.metadata = std::move(opened.header.metadata);
    try {
        for (const StoredEntry& entry : entries) {
            StoredTensor tensor{entry.name, entry.shape, entry.dtype, {}};
            tensor.bytes.resize(entry.end - entry.begin);
            read_at(source, opened.data + entry.begin, tensor.bytes.data(), tensor.bytes.size(), path);
            file.tensors.push_back(std::move(tensor));
        }
    } catch (const std::bad_alloc&) {
        refuse(path, "does not fit in memory: it holds " + std::to_string(held) + " bytes of tensors");
    }
    return file;
}

void write_tensors(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata) {
    check_writable(path);
    const auto [order, header] = laid_out(tensors, metadata);
    const std::string text = header_text(header, path);
    if (text.size() > kLongestHeader) {
        refuse(path, "can't be written: its header would take " + std::to_string(text.size()) + " bytes, of " +
                         std::to_string(kLongestHeader) + " at most");
    }
    Temporary file(resolved(path));
    const std::uint64_t length = text.size();
    file.write(&length, sizeof length);
    file.write(text.data(), text.size());
    for (const View& view : order) {
        file.write(view.data, bytes_of(view));
    }
    file.put_in_place();
}

bool written_by_byhand(const std::string& path) {
    try {
        const Metadata metadata = read_header(open_regular(path), path).header.metadata;
        const auto format = metadata.find(kFormatKey);
        return format != metadata.end() && format->second == kFormat;
    } catch (const InputError&) {
        return false;
    }
}

void check_writable(const std::string& path) {
    if (path.empty()) {
        throw InputError("the file to write has no name; give it one");
    }
    const fs::path target = resolved(path);
    std::error_code error;
    const fs::file_status status = fs::status(target, error);
    if (target.filename().empty() || fs::is_directory(status)) {
        refuse(path, "is a folder; name a file");
    }
    const fs::path folder = folder_of(target);
    if (!fs::is_directory(folder, error)) {
        refuse(path, "can't be written: there is no folder " + printable(folder.string()) + "; make it first");
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        refuse(path, "can't be written: folder " + printable(folder.string()) + ": " + reason());
    }
    if (!fs::exists(status)) {
        return;
    }
    if (!fs::is_regular_file(status)) {
        refuse(path, "is not a regular file; name another");
    }
    if (!written_by_byhand(path)) {
        refuse(path, "stands there already and was not written by byhand; name another file, or remove it");
    }
    if (::access(target.c_str(), W_OK) != 0) {
        refuse(path, "can't be written: " + reason());
    }
}

}  // namespace byhand
