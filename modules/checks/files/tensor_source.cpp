#include "checks/files/tensor_source.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "checks/files/npy.h"
#include "checks/files/npz.h"
#include "train/file_kind.h"

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

namespace byhand {
namespace {

// Fills `to` as far as the source has bytes, and returns their number.
std::size_t fill(const ByteSource& source, std::byte* to, std::size_t size) {
    std::size_t got = 0;
    for (std::size_t more = 1; got < size && more > 0; got += more) {
        more = source(to + got, size - got);
    }
    return got;
}

// Elements of the machine's byte order, with zeros behind each where it is read in a wider type.
ByteSource in_own_type(ByteSource raw, const Layout& layout) {
    const std::size_t from = layout.type->size, to = size_of(*layout.type->dtype);
    if (from == to && !layout.swapped) {
        return raw;
    }
    return [raw = std::move(raw), from, to, swapped = layout.swapped](void* out, std::size_t size) {
        auto* const bytes = static_cast<std::byte*>(out);
        std::vector<std::byte> read(size / to * from);
        read.resize(fill(raw, read.data(), read.size()));
        const std::size_t elements = read.size() / from;
        std::fill_n(bytes, elements * to, std::byte{});
        for (std::size_t i = 0; i < elements; ++i) {
            std::byte* const one = bytes + i * to;
            std::copy_n(read.data() + i * from, from, one);
            if (swapped) {
                std::reverse(one, one + from);
            }
        }
        return elements * to;
    };
}

ByteSource in_memory(std::vector<std::byte> bytes) {
    return [bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes)), at = std::size_t{0}](
               void* to, std::size_t size) mutable {
        const std::size_t taken = std::min(size, bytes->size() - at);
        if (taken > 0) {
            std::memcpy(to, bytes->data() + std::exchange(at, at + taken), taken);
        }
        return taken;
    };
}

// Elements whose index runs over `shape` by rows, where it runs over the memory by these strides.
std::vector<std::byte> by_rows(const std::vector<std::byte>& elements, const Shape& shape,
                               const std::vector<std::size_t>& strides, std::size_t size) {
    std::vector<std::byte> rows(elements.size());
    std::vector<std::size_t> index(shape.size());
    std::size_t from = 0;
    for (std::size_t to = 0; to < rows.size(); to += size) {
        std::memcpy(rows.data() + to, elements.data() + from * size, size);
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            from += strides[axis];
            if (++index[axis] < shape[axis]) {
                break;
            }
            from -= std::exchange(index[axis], 0) * strides[axis];
        }
    }
    return rows;
}

std::vector<std::size_t> strides_of(const Shape& shape, bool fortran_order) {
    std::vector<std::size_t> strides(shape.size());
    std::size_t stride = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::size_t axis = fortran_order ? i : shape.size() - 1 - i;
        strides[axis] = std::exchange(stride, stride * shape[axis]);
    }
    return strides;
}

std::vector<std::byte> all_of(const TensorSource& source) {
    std::vector<std::byte> bytes;
    try {
        bytes.resize(count(source.shape) * size_of(*source.dtype));
    } catch (const std::bad_alloc&) {
        throw InputError(source.name + " " + to_string(source.shape) + " does not fit in memory");
    }
    bytes.resize(fill(source.open(), bytes.data(), bytes.size()));
    return bytes;
}

// Bytes of an open file from `begin` on.
OpenBytes bytes_of(std::shared_ptr<const RegularFile> file, std::uint64_t begin, std::uint64_t size, std::string path) {
    return [=, file = std::move(file), path = std::move(path)]() -> ByteSource {
        return [=, at = std::uint64_t{0}](void* to, std::size_t wanted) mutable {
            const std::size_t least = std::min<std::uint64_t>(wanted, size - at);
            const std::size_t got = read_from(file->descriptor.number(), begin + at, to, least, path);
            if (got < least) {
                throw InputError(path + ": it has become shorter since it was opened");
            }
            at += got;
            return got;
        };
    };
}

TensorSources open_safetensors(const std::shared_ptr<const RegularFile>& file, const std::string& path) {
    TensorHeader header = read_tensor_header(*file, path);
    TensorSources all{{}, std::move(header.metadata)};
    for (TensorEntry& entry : header.entries) {
        const std::uint64_t begin = header.data + entry.offsets[0], size = entry.offsets[1] - entry.offsets[0];
        const Layout layout{stored_type(entry.type)};
        all.tensors.push_back(stored_source(std::move(entry.name), entry.type, std::move(entry.shape), layout,
                                            bytes_of(file, begin, size, path)));
    }
    return all;
}

}  // namespace

std::optional<std::uint64_t> elements_of(const Shape& shape) {
    std::uint64_t elements = 1;
    for (const std::size_t extent : shape) {
        if (__builtin_mul_overflow(elements, extent, &elements)) {
            return std::nullopt;
        }
    }
    return elements;
}

TensorSource stored_source(std::string name, std::string type, Shape shape, Layout layout, OpenBytes raw) {
    TensorSource source{std::move(name), std::move(type), std::move(shape), std::nullopt, raw};
    if (layout.type == nullptr || !layout.type->dtype) {
        return source;
    }
    source.dtype = layout.type->dtype;
    source.open = [raw = std::move(raw), layout] { return in_own_type(raw(), layout); };
    if (layout.fortran_order && source.shape.size() > 1) {
        source.open = [columns = source] {
            return in_memory(
                by_rows(all_of(columns), columns.shape, strides_of(columns.shape, true), size_of(*columns.dtype)));
        };
    }
    return source;
}

StoredTensor read(const TensorSource& source) {
    return {source.name, source.shape, *source.dtype, all_of(source)};
}

TensorSource transposed(const TensorSource& source) {
    TensorSource other = source;
    if (source.shape.size() > 1 && source.dtype) {
        std::vector<std::size_t> strides = strides_of(source.shape, false);
        const auto exchange_last = [](std::vector<std::size_t>& axes) { std::swap(axes.back(), axes.end()[-2]); };
        exchange_last(strides);
        exchange_last(other.shape);
        other.open = [source, shape = other.shape, strides] {
            return in_memory(by_rows(all_of(source), shape, strides, size_of(*source.dtype)));
        };
    }
    return other;
}

TensorSources open_tensors(const std::string& path) {
    auto file = std::make_shared<const RegularFile>(open_regular(path));
    const FileKind kind = kind_of(*file, path);
    const std::string name = std::filesystem::path(path).stem().string();
    switch (kind) {
        case FileKind::unknown:
            return open_safetensors(file, path);
        case FileKind::zip:
            return open_npz(path);
        case FileKind::npy: {
            const std::uint64_t size = file->size;
            return {{npy_source(name, bytes_of(std::move(file), 0, size, path), size, path)}, {}};
        }
        case FileKind::pytorch:
            throw InputError(path + ": " + from_pytorch(path));
        case FileKind::pickle:
            throw InputError(path + ": " + from_pickle(path));
        default:
            throw InputError(path + ": it is " + to_string(kind) +
                             (kind == FileKind::gzip     ? "; decompress it by gunzip"
                              : kind == FileKind::python ? "; run it, and give the file that it writes"
                                                         : "; save the arrays by numpy.savez(\"mine.npz\", dW1=dW1), "
                                                           "and give that file"));
    }
}

}  // namespace byhand
