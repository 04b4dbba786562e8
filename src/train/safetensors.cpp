#include "train/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <istream>
#include <iterator>
#include <new>
#include <set>
#include <stdexcept>
#include <streambuf>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "train/file_kind.h"
#include "train/npy.h"
#include "train/safetensors_header.h"
#include "train/whole_file.h"

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

// Fills `out` from byte `offset` on.
void read_at(const RegularFile& source, std::uint64_t offset, void* out, std::uint64_t size, const std::string& path) {
    const std::size_t got = read_from(source.descriptor.number(), offset, out, size, path);
    if (got < size) {
        refuse(path, "ends early, at byte " + std::to_string(offset + got));
    }
}

// `size` bytes of a file from `offset` on as a stream, block by block: a header of 100 MB is never in memory as a
// whole.
class HeaderText : public std::streambuf {
public:
    HeaderText(const RegularFile& source, std::uint64_t offset, std::uint64_t size, const std::string& path)
        : source_(source), offset_(offset), left_(size), path_(path) {}

protected:
    int_type underflow() override {
        const std::uint64_t size = std::min<std::uint64_t>(left_, block_.size());
        if (size == 0) {
            return traits_type::eof();
        }
        read_at(source_, offset_, block_.data(), size, path_);
        char* const end = block_.data() + size;
        // The parser would read and copy a string or a number of 90 MB before it passes it on.
        count(std::string_view(block_.data(), size));
        if (unquoted_ > kMostHeaderText) {
            refuse(path_, "its header has more than 16 MB without a quotation mark; leave such texts out");
        }
        if (text_ > kMostHeaderText) {
            refuse_long_text(path_);
        }
        // The parser would treat a NUL as the end. Other control characters are not JSON either.
        std::replace(block_.data(), end, '\0', '\1');
        setg(block_.data(), block_.data(), end);
        offset_ += size;
        left_ -= size;
        return traits_type::to_int_type(block_.front());
    }

private:
    void count(std::string_view block) {
        for (const char c : block) {
            unquoted_ = c == '"' ? 0 : unquoted_ + 1;
            if (escape_ > 0) {
                escape_ = c == 'u' ? 4 : escape_ - 1;
            } else {
                escape_ = c == '\\' ? 1 : 0;
                text_ = c == '"' ? 0 : text_ + 1;
            }
        }
    }

    const RegularFile& source_;
    std::uint64_t offset_;
    std::uint64_t left_;
    const std::string& path_;
    std::uint64_t unquoted_ = 0;  // bytes since the last quotation mark, escaped or not
    std::uint64_t text_ = 0;      // bytes since the last start or end of a string, an escape counted as one
    int escape_ = 0;              // remaining bytes of an escape: one after its backslash, four more after a u
    std::array<char, 65536> block_{};
};

struct Opened {
    Header header;
    std::uint64_t data = 0;  // offset of the tensors' bytes
};

Opened read_header(const RegularFile& source, const std::string& path) {
    constexpr std::uint64_t kPrefix = sizeof(std::uint64_t);
    if (const std::string kind = to_string(kind_of(source, path)); !kind.empty()) {
        refuse(path, "not a safetensors file: it is " + kind);
    }
    if (source.size < kPrefix) {
        refuse(path, "not a safetensors file: it has " + std::to_string(source.size) + " bytes, but needs at least 8");
    }
    std::uint64_t length = 0;
    read_at(source, 0, &length, kPrefix, path);
    if (length > UINT32_MAX) {
        refuse(path, "not a safetensors file: it does not begin with the length of a header");
    }
    if (length > kLongestHeader || length > source.size - kPrefix) {
        refuse(path, "not a safetensors file: its header would take " + std::to_string(length) + " bytes, of " +
                         std::to_string(std::min(kLongestHeader, source.size - kPrefix)) + " at most");
    }
    HeaderText buffer(source, kPrefix, length, path);
    std::istream text(&buffer);
    return {parse_header(text, path), kPrefix + length};
}

Content content_of(const Metadata& metadata) {
    return metadata.contains(kStepsKey) ? Content::model : Content::tensors;
}

std::uint64_t bytes_of(const View& view) {
    return std::uint64_t{count(view.shape)} * size_of(view.dtype);
}

// The tensors in the order in which they are written, and the header that describes them.
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

}  // namespace

std::vector<View> views(const std::vector<StoredTensor>& tensors) {
    std::vector<View> all;
    all.reserve(tensors.size());
    for (const StoredTensor& tensor : tensors) {
        all.push_back({tensor.name, tensor.shape, tensor.dtype, tensor.bytes.data()});
    }
    return all;
}

std::vector<View> views(const TensorFile& file) {
    return views(file.tensors);
}

TensorFile read_tensors(const std::string& path, OtherTypes other_types) {
    const RegularFile source = open_regular(path);
    Opened opened = read_header(source, path);
    const std::vector<StoredEntry>& entries = opened.header.entries;
    const std::uint64_t told = entries.empty() ? 0 : entries.back().end;
    const std::uint64_t held = source.size - opened.data;
    if (told != held) {
        refuse(path, "not a safetensors file: its header describes " + std::to_string(told) +
                         " bytes of tensors, but " + std::to_string(held) + " follow it");
    }
    TensorFile file;
    file.metadata = std::move(opened.header.metadata);
    try {
        for (const StoredEntry& entry : entries) {
            if (entry.other_type || (entry.dtype == DType::int32 && other_types == OtherTypes::refused)) {
                const std::string type = entry.other_type.value_or("I32");
                if (other_types == OtherTypes::refused) {
                    refuse(path, "tensor \"" + excerpt(entry.name, 100) + "\" has dtype \"" + excerpt(type, 100) +
                                     "\"; F32, F64 and I64 can be read");
                }
                file.left_out.push_back({entry.name, type});
                continue;
            }
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
    check_writable(path, content_of(metadata));
    const auto [order, header] = laid_out(tensors, metadata);
    const std::string text = header_text(header, path);
    if (text.size() > kLongestHeader) {
        refuse(path, "can't be written: its header would take " + std::to_string(text.size()) + " bytes, of " +
                         std::to_string(kLongestHeader) + " at most");
    }
    WholeFile file(path);
    const std::uint64_t length = text.size();
    file.write(&length, sizeof length);
    file.write(text.data(), text.size());
    for (const View& view : order) {
        file.write(view.data, bytes_of(view));
    }
    file.put_in_place();
}

std::optional<Metadata> own_metadata(const std::string& path) {
    try {
        Metadata metadata = read_header(open_regular(path), path).header.metadata;
        const auto format = metadata.find(kFormatKey);
        if (format != metadata.end() && format->second == kFormat) {
            return metadata;
        }
        return std::nullopt;
    } catch (const InputError&) {
        return std::nullopt;
    }
}

void check_writable(const std::string& path, Content content) {
    check_place(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
        return;
    }
    if (!fs::is_regular_file(status)) {
        refuse(path, "is not a regular file; name another");
    }
    if (content == Content::tensors && is_own_npz(path)) {
        return;
    }
    const std::optional<Metadata> old = own_metadata(path);
    if (!old) {
        refuse(path, "exists and was not written by byhand; name another file, or remove it");
    }
    if (content == Content::tensors && content_of(*old) == Content::model) {
        refuse(path, "is a trained model; name another file, or remove it");
    }
}

}  // namespace byhand
