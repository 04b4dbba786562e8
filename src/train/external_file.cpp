#include "train/external_file.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/module.h"
#include "train/npz.h"

namespace byhand {
namespace {

ExternalFile read_single(const RegularFile& file, const std::string& path, const ElementsDue& due) {
    const std::string name = std::filesystem::path(path).stem().string();
    const std::optional<std::uint64_t> elements = due(name);
    if (!elements) {
        return {{{name, {}, DType::float32, {}}}, {}};
    }
    const ByteSource source = [&](void* to, std::size_t size) {
        std::size_t got = 0;
        while (got < size) {
            const std::size_t more =
                read_some(file.descriptor.number(), static_cast<char*>(to) + got, size - got, path);
            if (more == 0) {
                break;
            }
            got += more;
        }
        return got;
    };
    ExternalFile read;
    read_npy(read, name, source, *elements, path);
    return read;
}

ExternalFile read_npz(const std::string& path, const ElementsDue& due) {
    void* const symbol = open_module({.file = "byhand_npz.so",
                                      .symbol = "byhand_read_npz",
                                      .what = "the module that reads .npz files",
                                      .package = "byhand",
                                      .build = "-DBYHAND_BUILD_PROGRAM=ON"});
    ExternalFile read;
    reinterpret_cast<decltype(&byhand_read_npz)>(symbol)(read, path, due);
    return read;
}

}  // namespace

ExternalFile read_external(const std::string& path, const ElementsDue& due) {
    // Pickles of torch.save before version 1.6: protocol 2, then a long number. (A safetensors file would begin with a
    // zip's bytes only if its header had 67 MB.)
    constexpr std::string_view kZip = "PK\x03\x04", kEmptyZip = "PK\x05\x06", kPickle = "\x80\x02\x8a\x0a";
    const RegularFile file = open_regular(path);
    std::array<char, 8> bytes{};
    std::size_t size = 0;
    while (size < bytes.size()) {
        const std::size_t more = read_some(file.descriptor.number(), bytes.data() + size, bytes.size() - size, path);
        if (more == 0) {
            break;
        }
        size += more;
    }
    const std::string_view start(bytes.data(), size);
    if (start.starts_with(kZip) || start.starts_with(kEmptyZip)) {
        return read_npz(path, due);
    }
    if (start.starts_with(kPickle)) {
        throw InputError(path + ": " + from_pytorch(path));
    }
    if (start.starts_with(kNpyMagic)) {
        ::lseek(file.descriptor.number(), 0, SEEK_SET);
        return read_single(file, path, due);
    }
    return {read_tensors(path).tensors, {}};
}

}  // namespace byhand
